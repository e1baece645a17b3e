//! A path, and what each of its methods demands.

use super::super::openapi::Operation;
use super::super::openapi::template::{Segment, Template, spell};
use super::route_demand::RouteDemand;
use http::Method;

/// A route to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedRoute {
    pub(crate) path: String,
    pub(crate) methods: Vec<Method>,
    pub(crate) demand: RouteDemand,
}

/// A path as the gateway tells it from others.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(super) segments: Vec<Segment>,
    methods: Vec<(Method, RouteDemand)>,
    /// The templates of its operations, with the paths as they are written. Only names differ, and
    /// what is a part of a segment.
    templates: Vec<(String, Template)>,
}

impl Row {
    pub(super) fn new(segments: Vec<Segment>) -> Self {
        Self {
            segments,
            methods: Vec::new(),
            templates: Vec::new(),
        }
    }

    /// Takes an operation in. Returns whether another one demands otherwise.
    pub(super) fn join(
        &mut self,
        operation: &Operation,
        template: &Template,
        demand: RouteDemand,
    ) -> bool {
        let path = &operation.path;
        if !self.templates.iter().any(|(known, _)| known == path) {
            self.templates.push((path.clone(), template.clone()));
        }
        self.add(&operation.method, demand)
    }

    /// Whether the path is the one of its operations, and not a wider one.
    pub(super) fn is_exact(&self) -> bool {
        self.templates
            .iter()
            .all(|(_, template)| template.is_exact)
    }

    /// Whether the document may prefer an operation of the other row although this path has more
    /// names: a part of a segment is closer to a path than any segment.
    pub(super) fn has_rival_in(&self, other: &Self) -> bool {
        let own = self.templates.iter();
        let mut own = own.flat_map(|(_, template)| template.segments.iter().enumerate());
        own.any(|(index, segment)| matches!(segment, Segment::Any(_)) && other.has_part_at(index))
    }

    fn has_part_at(&self, index: usize) -> bool {
        let mut templates = self.templates.iter();
        templates.any(|(_, template)| template.segments.get(index) == Some(&Segment::Part))
    }

    /// Makes `HEAD` demand what `GET` does where the row has several paths: those that list only
    /// `GET` answer `HEAD` by it.
    pub(super) fn join_head(&mut self) {
        let has_head = self.methods().contains(&Method::HEAD);
        if let Some(get) = self.demand(&Method::GET).cloned()
            && has_head
            && self.templates.len() > 1
        {
            self.add(&Method::HEAD, get);
        }
    }

    /// Adds a demand to a method. Returns whether the method had another one before.
    pub(super) fn add(&mut self, method: &Method, demand: RouteDemand) -> bool {
        let mut known = self.methods.iter_mut();
        match known.find(|(known, _)| known == method) {
            Some((_, before)) => {
                let differs = *before != demand;
                *before = before.and(&demand);
                differs
            }
            None => {
                self.methods.push((method.clone(), demand));
                false
            }
        }
    }

    /// The methods that are listed.
    pub(super) fn methods(&self) -> Vec<Method> {
        let methods = self.methods.iter();
        methods.map(|(method, _)| method.clone()).collect()
    }

    /// What a request of this method meets here. `HEAD` is `GET` where it is not listed, as in the
    /// gateway.
    pub(super) fn demand(&self, method: &Method) -> Option<&RouteDemand> {
        let find = |method: &Method| self.methods.iter().find(|(known, _)| known == method);
        let found = match (find(method), method) {
            (None, &Method::HEAD) => find(&Method::GET),
            (found, _) => found,
        };
        found.map(|(_, demand)| demand)
    }

    /// The routes: methods with equal demands share one.
    pub(super) fn to_routes(&self) -> Vec<PlannedRoute> {
        let mut routes: Vec<PlannedRoute> = Vec::new();
        for (method, demand) in &self.methods {
            match routes.iter_mut().find(|route| route.demand == *demand) {
                Some(route) => route.methods.push(method.clone()),
                None => routes.push(PlannedRoute {
                    path: spell(&self.segments, true),
                    methods: vec![method.clone()],
                    demand: demand.clone(),
                }),
            }
        }
        routes
    }
}

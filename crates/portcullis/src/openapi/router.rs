//! A router of axum that keeps the description of what it routes.

use super::described_route::{DescribedMethod, DescribedRoute};
use super::document::{ApiInfo, OpenApi};
use super::endpoint::{Endpoint, name_of};
use super::schemes::SecuritySchemes;
use crate::ProtectLayer;
use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, MethodRouter, Route};
use std::any::Any;
use std::convert::Infallible;
use tower_layer::Layer;
use tower_service::Service;

/// A [`Router`] whose routes describe themselves.
///
/// It has only those methods of axum's router that add described routes, so the document leaves
/// no route out; only `HEAD`, which axum answers wherever there is `GET`, is not described.
/// Everything else is added to the router that [`finish`](Self::finish) gives.
#[derive(Clone, Debug)]
#[must_use]
pub struct ApiRouter<S = ()> {
    router: Router<S>,
    routes: Vec<DescribedRoute>,
}

impl<S: Clone + Send + Sync + 'static> ApiRouter<S> {
    /// A router without routes.
    pub fn new() -> Self {
        Self {
            router: Router::new(),
            routes: Vec::new(),
        }
    }

    /// Adds the methods of a path, which is written as axum writes it: `/orders/{id}`.
    ///
    /// # Panics
    ///
    /// Where axum's own [`Router::route`] does: if the path is not one, or has a method twice.
    pub fn route(mut self, path: &str, methods: ApiMethodRouter<S>) -> Self {
        for endpoint in methods.endpoints {
            self.routes.push(DescribedRoute {
                path: path.to_owned(),
                endpoint,
                demands: Vec::new(),
            });
        }
        self.router = self.router.route(path, methods.router);
        self
    }

    /// Adds another router below a path.
    ///
    /// # Panics
    ///
    /// Where axum's own [`Router::nest`] does.
    pub fn nest(mut self, path: &str, other: Self) -> Self {
        for mut route in other.routes {
            let inner = match route.path.as_str() {
                "/" => "",
                inner => inner,
            };
            route.path = format!("{}{inner}", path.trim_end_matches('/'));
            self.routes.push(route);
        }
        self.router = self.router.nest(path, other.router);
        self
    }

    /// Adds the routes of another router.
    ///
    /// # Panics
    ///
    /// Where axum's own [`Router::merge`] does.
    pub fn merge(mut self, other: Self) -> Self {
        self.routes.extend(other.routes);
        self.router = self.router.merge(other.router);
        self
    }

    /// Puts a layer around all routes so far. A [`ProtectLayer`] is described as well; one that is
    /// hidden in a stack of layers is not, so it has to be given by itself.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let any: &dyn Any = &layer;
        if let Some(protect) = any.downcast_ref::<ProtectLayer>() {
            for route in &mut self.routes {
                route.demands.push(protect.shared_requirement());
            }
        }
        self.router = self.router.layer(layer);
        self
    }

    /// Gives the handlers their state.
    pub fn with_state<S2>(self, state: S) -> ApiRouter<S2> {
        ApiRouter {
            router: self.router.with_state(state),
            routes: self.routes,
        }
    }

    /// The router as axum's own, and the document of its routes.
    pub fn finish(self, info: ApiInfo, schemes: &SecuritySchemes) -> (Router<S>, OpenApi) {
        let document = OpenApi::of(info, schemes, &self.routes);
        (self.router, document)
    }
}

impl<S: Clone + Send + Sync + 'static> Default for ApiRouter<S> {
    fn default() -> Self {
        Self::new()
    }
}

/// The methods of one path: [`get`], [`post`] and the others begin it.
#[derive(Clone, Debug)]
#[must_use]
pub struct ApiMethodRouter<S = ()> {
    router: MethodRouter<S>,
    endpoints: Vec<DescribedMethod>,
}

impl<S: Clone + Send + Sync + 'static> ApiMethodRouter<S> {
    fn new() -> Self {
        Self {
            router: MethodRouter::new(),
            endpoints: Vec::new(),
        }
    }

    fn on<H, T>(mut self, filter: MethodFilter, method: &'static str, endpoint: H) -> Self
    where
        H: Endpoint<T, S>,
        T: 'static,
    {
        self.endpoints.push(DescribedMethod {
            method,
            describe: H::describe,
            name: name_of::<H>(),
            summary: None,
            description: None,
            tag: None,
        });
        self.router = self.router.on(filter, endpoint);
        self
    }

    /// Summarizes the method that was added last, in a line. By default the line is the name of the
    /// function: "List orders".
    pub fn summary(mut self, text: &str) -> Self {
        if let Some(endpoint) = self.endpoints.last_mut() {
            endpoint.summary = Some(text.to_owned());
        }
        self
    }

    /// Describes the method that was added last, at length, in CommonMark.
    pub fn description(mut self, text: &str) -> Self {
        if let Some(endpoint) = self.endpoints.last_mut() {
            endpoint.description = Some(text.to_owned());
        }
        self
    }

    /// Puts all methods of this path under a heading.
    pub fn tag(mut self, name: &str) -> Self {
        for endpoint in &mut self.endpoints {
            endpoint.tag = Some(name.to_owned());
        }
        self
    }
}

macro_rules! methods {
    ($($name:ident, $filter:ident, $lower:literal, $upper:literal;)*) => {
        $(
            #[doc = concat!("Begins the methods of a path with `", $upper, "`.")]
            pub fn $name<H, T, S>(endpoint: H) -> ApiMethodRouter<S>
            where
                H: Endpoint<T, S>,
                T: 'static,
                S: Clone + Send + Sync + 'static,
            {
                ApiMethodRouter::new().$name(endpoint)
            }
        )*

        impl<S: Clone + Send + Sync + 'static> ApiMethodRouter<S> {
            $(
                #[doc = concat!("Adds `", $upper, "`.")]
                pub fn $name<H, T>(self, endpoint: H) -> Self
                where
                    H: Endpoint<T, S>,
                    T: 'static,
                {
                    self.on(MethodFilter::$filter, $lower, endpoint)
                }
            )*
        }
    };
}

methods! {
    get, GET, "get", "GET";
    post, POST, "post", "POST";
    put, PUT, "put", "PUT";
    patch, PATCH, "patch", "PATCH";
    delete, DELETE, "delete", "DELETE";
}

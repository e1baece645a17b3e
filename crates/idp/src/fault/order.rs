//! A fault as it is ordered: until it is cleared, or for the next requests only.

use crate::fault::Fault;
use portcullis_core::ConfigError;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// A fault of an endpoint, and how long it lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FaultOrder {
    pub(crate) fault: Fault,
    /// For how many requests more; `None` until it is cleared.
    left: Option<NonZeroU32>,
}

impl FaultOrder {
    /// A fault for the next requests only; none for no request.
    pub(crate) fn with_requests(fault: Fault, requests: u32) -> Self {
        match NonZeroU32::new(requests) {
            None => Self::default(),
            left => Self { fault, left },
        }
    }

    /// How the next request is answered. After the last one, the endpoint works.
    pub(crate) fn take(&mut self) -> Fault {
        let fault = self.fault;
        if let Some(left) = self.left {
            *self = Self::with_requests(fault, left.get() - 1);
        }
        fault
    }
}

impl From<Fault> for FaultOrder {
    fn from(fault: Fault) -> Self {
        Self { fault, left: None }
    }
}

/// As it is written: `500`, or `500*2` for two requests.
impl fmt::Display for FaultOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.left {
            None => self.fault.fmt(f),
            Some(left) => write!(f, "{}*{left}", self.fault),
        }
    }
}

impl FromStr for FaultOrder {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        // No name of a fault has an asterisk.
        let Some((name, requests)) = text.split_once('*') else {
            return Ok(Fault::from_str(text)?.into());
        };
        let fault = name.parse()?;
        match requests.parse::<NonZeroU32>() {
            Ok(requests) => Ok(Self::with_requests(fault, requests.get())),
            Err(_) => Err(ConfigError::expected("fault", "a number of requests")
                .found(text)
                .help("write `500*2` for two requests, or `500` until it is cleared")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_is_written() {
        for text in [
            "none",
            "500",
            "500*2",
            "slow:7*1",
            "invalid_grant*4294967295",
        ] {
            assert_eq!(text.parse::<FaultOrder>().unwrap().to_string(), text);
        }
        for wrong in ["500*", "500*0", "500*-1", "*2", "500*2*2", "500 * 2"] {
            assert!(wrong.parse::<FaultOrder>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn it_ends_with_its_last_request() {
        let mut order: FaultOrder = "500*2".parse().unwrap();
        let answers = [order.take(), order.take(), order.take()];
        let expected = [Fault::InternalError, Fault::InternalError, Fault::None];
        assert_eq!(answers, expected);
        assert_eq!(order, FaultOrder::default());
        let mut order = FaultOrder::from(Fault::Empty);
        assert_eq!([order.take(), order.take()], [Fault::Empty; 2]);
    }
}

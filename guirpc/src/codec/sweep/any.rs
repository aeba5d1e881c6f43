//! A value of any type as one type, so that what is tried with it is compiled once and not for each type.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

trait Value: erased_serde::Serialize + fmt::Debug {
    fn read(&self, deserializer: &mut dyn erased_serde::Deserializer<'_>)
    -> Result<Rc<dyn Value>, erased_serde::Error>;
    fn is(&self, other: &dyn Value) -> bool;
    fn as_any(&self) -> &dyn std::any::Any;
}

impl<T: Serialize + DeserializeOwned + PartialEq + fmt::Debug + 'static> Value for T {
    fn read(
        &self,
        deserializer: &mut dyn erased_serde::Deserializer<'_>,
    ) -> Result<Rc<dyn Value>, erased_serde::Error> {
        Ok(Rc::new(T::deserialize(deserializer)?))
    }

    fn is(&self, other: &dyn Value) -> bool {
        other.as_any().downcast_ref::<T>().is_some_and(|other| self == other)
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// A value of the type that is tried at the moment.
#[derive(Clone, Debug)]
pub(super) struct Any(Rc<dyn Value>);

thread_local! {
    static CURRENT: RefCell<Option<Any>> = const { RefCell::new(None) };
}

impl PartialEq for Any {
    fn eq(&self, other: &Self) -> bool {
        self.0.is(&*other.0)
    }
}

impl fmt::Display for Any {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Any {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        erased_serde::serialize(&*self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let any = CURRENT.with_borrow(Clone::clone).expect("a type is being tried");
        let read = any.0.read(&mut <dyn erased_serde::Deserializer<'_>>::erase(deserializer));
        read.map(Any).map_err(D::Error::custom)
    }
}

/// A value to try, and how it is written in Rust.
pub(super) struct Sample {
    pub(super) type_name: &'static str,
    value_name: &'static str,
    any: Any,
}

impl Sample {
    pub(super) fn new<T: Serialize + DeserializeOwned + PartialEq + fmt::Debug + 'static>(
        type_name: &'static str,
        value_name: &'static str,
        value: T,
    ) -> Self {
        Sample { type_name, value_name, any: Any(Rc::new(value)) }
    }

    /// The type, without spaces that the compiler put there.
    pub(super) fn shown_type(&self) -> String {
        plain(self.type_name)
    }

    /// The value, and its type if that does not stand in it.
    pub(super) fn name(&self) -> String {
        let (ty, value) = (self.shown_type(), plain(self.value_name));
        if value.starts_with(ty.split('<').next().unwrap_or_default()) { value } else { format!("{ty}: {value}") }
    }

    pub(super) fn with<T>(&self, run: impl FnOnce(&Any) -> T) -> T {
        CURRENT.set(Some(self.any.clone()));
        run(&self.any)
    }
}

fn plain(code: &str) -> String {
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}

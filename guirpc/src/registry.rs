//! What the attribute emits, and the sorted, unique view of it that a server dispatches by.

use std::any::{TypeId, type_name};
use std::collections::BTreeMap;
use std::time::Duration;

use crate::codec::PythonOptions;
use crate::context::StateMap;
use crate::error::{Error, ErrorKind, nearest};
use crate::function::{Described, Description};
#[cfg(feature = "tokio")]
use crate::invocation::AnswerFuture;
use crate::invocation::{Answer, Invocation};

/// A function that is implemented here, and not only called: what its stub's entry in the registry is made of.
#[doc(hidden)]
pub trait Registered: Described {
    /// The entry.
    const REGISTRATION: Registration;
}

/// One served function, as `#[guirpc::function]` describes it.
///
/// Every field is data that the attribute read off the function; `invoke` is the only code.
#[derive(Debug)]
pub struct Registration {
    /// The name by which it is called.
    pub name: &'static str,
    /// The service that it belongs to.
    pub service: &'static str,
    /// Its signature and its doc comment.
    pub description: Description,
    /// The lane that serves it, if it has one.
    pub lane: Option<&'static str>,
    /// The caller's default deadline, if the attribute sets one.
    pub timeout: Option<Duration>,
    /// Whether it is declared to be safe to run twice.
    pub idempotent: bool,
    /// Whether its calls travel together unless a client says otherwise.
    pub coalesce: bool,
    /// When its request is acknowledged.
    pub ack: Ack,
    /// How it is called from Python.
    pub python: PythonOptions,
    /// The types of state that it asks for.
    pub states: &'static [StateType],
    /// Decodes the arguments, runs the function, encodes what it returns.
    pub invoke: Invoke,
}

/// How the code of a function is run.
#[derive(Clone, Copy, Debug)]
pub enum Invoke {
    /// To its end, on the thread that has the request.
    Blocking(fn(&Invocation<'_>) -> Answer),
    /// As a future, on a runtime.
    #[cfg(feature = "tokio")]
    Async {
        /// Makes the future.
        run: for<'a> fn(&'a Invocation<'a>) -> AnswerFuture<'a>,
        /// Whether it is dropped at the deadline of its caller.
        cancel: bool,
    },
}

impl Registration {
    /// Whether it is an `async fn`.
    #[cfg(feature = "server")]
    pub(crate) fn is_async(&self) -> bool {
        !matches!(self.invoke, Invoke::Blocking(_))
    }

    /// What its callers know of it.
    #[cfg(feature = "schema")]
    pub(crate) fn called(&self) -> Called {
        let Registration { name, service, description, lane, timeout, idempotent, coalesce, python, .. } = *self;
        Called { name, service, description, lane, timeout, idempotent, coalesce, python }
    }
}

inventory::collect!(Registration);

/// A function as its callers know it; the entry of one that this program does not have, which has no body.
#[derive(Clone, Copy, Debug)]
pub struct Called {
    /// The name by which it is called.
    pub name: &'static str,
    /// The service that it belongs to.
    pub service: &'static str,
    /// Its signature and its doc comment.
    pub description: Description,
    /// The lane that serves it, if it has one.
    pub lane: Option<&'static str>,
    /// The caller's default deadline, if the attribute sets one.
    pub timeout: Option<Duration>,
    /// Whether it is declared to be safe to run twice.
    pub idempotent: bool,
    /// Whether its calls travel together unless a client says otherwise.
    pub coalesce: bool,
    /// How it is called from Python.
    pub python: PythonOptions,
}

inventory::collect!(Called);

/// When a request is acknowledged to the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// After the reply was handed over: the function runs at least once.
    AfterReply,
    /// Before the function runs: it runs at most once.
    Early,
}

impl Ack {
    /// As operators and contracts read it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Ack::AfterReply => "after-reply",
            Ack::Early => "early",
        }
    }
}

/// A type of state that a function asks for with `#[state]`.
#[derive(Debug)]
pub struct StateType {
    id: fn() -> TypeId,
    name: fn() -> &'static str,
}

impl StateType {
    /// The type `T`.
    pub const fn of<T: State>() -> Self {
        StateType { id: TypeId::of::<T>, name: type_name::<T> }
    }
}

/// A value that functions can share.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the state of a served function",
    label = "not both `Send` and `Sync`",
    note = "functions run on several threads at once: take `Arc` for `Rc`, and `Mutex` for `RefCell` and `Cell`"
)]
pub trait State: 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync + 'static> State for T {}

/// All functions that are linked into this program, whether they are served or not.
pub(crate) fn linked() -> impl Iterator<Item = &'static Registration> + Clone {
    inventory::iter::<Registration>.into_iter().collect::<Vec<_>>().into_iter()
}

/// All functions that this program may call and does not have.
#[cfg(feature = "schema")]
pub(crate) fn called() -> impl Iterator<Item = &'static Called> {
    inventory::iter::<Called>.into_iter()
}

/// The functions that are linked into this program and belong to none of these services.
#[cfg(feature = "main")]
pub(crate) fn unserved(services: &[String]) -> impl Iterator<Item = &'static Registration> {
    linked().filter(|function| services.iter().all(|service| service != function.service))
}

/// The functions of one service, by name.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    functions: BTreeMap<&'static str, &'static Registration>,
}

impl Service {
    /// Collects the functions of the service `name` from all that are linked.
    ///
    /// # Errors
    /// There is none, or two have one name.
    pub(crate) fn linked(name: &str) -> Result<Self, Error> {
        Service::collect(name, linked())
    }

    /// Collects the functions of the service `name` from those that are given.
    ///
    /// # Errors
    /// There is none, or two have one name.
    pub(crate) fn collect(
        name: &str,
        linked: impl Iterator<Item = &'static Registration> + Clone,
    ) -> Result<Self, Error> {
        let mut functions = BTreeMap::new();
        for registration in linked.clone().filter(|registration| registration.service == name) {
            if let Some(other) = functions.insert(registration.name, registration) {
                return Err(two_of_one_name(name, other, registration));
            }
        }
        if functions.is_empty() {
            return Err(nothing_to_serve(name, linked));
        }
        Ok(Service { name: name.to_owned(), functions })
    }

    pub(crate) fn functions(&self) -> impl Iterator<Item = &'static Registration> {
        self.functions.values().copied()
    }

    pub(crate) fn function(&self, name: &str) -> Option<&'static Registration> {
        self.functions.get(name).copied()
    }

    /// The function whose name is most like this one, if any is near enough to be a slip of the pen.
    pub(crate) fn nearest(&self, name: &str) -> Option<&'static str> {
        nearest(name, self.functions.keys().copied())
    }

    /// Checks that every type of state that a function asks for was given.
    ///
    /// # Errors
    /// Names each function and type for which it was not.
    pub(crate) fn require(&self, state: &StateMap) -> Result<(), Error> {
        let missing: Vec<String> = self
            .functions()
            .flat_map(|function| function.states.iter().map(move |state| (function, state)))
            .filter(|(_, wanted)| !state.contains((wanted.id)()))
            .map(|(function, wanted)| {
                format!("`{}` ({}) asks for `{}`", function.name, function.description.place, (wanted.name)())
            })
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Setup,
            format!(
                "state is missing in service `{}`: {}; give it with `.state(…)`, as in \
                 `guirpc::main!(|setup| Ok(setup.state(…)))`",
                self.name,
                missing.join(", ")
            ),
        ))
    }
}

fn two_of_one_name(service: &str, first: &Registration, second: &Registration) -> Error {
    Error::new(
        ErrorKind::Setup,
        format!(
            "two functions of service `{service}` are named `{}`: {} and {}; rename one with \
             `#[guirpc::function(name = \"…\")]`",
            first.name, first.description.place, second.description.place
        ),
    )
}

fn nothing_to_serve(name: &str, linked: impl Iterator<Item = &'static Registration>) -> Error {
    let mut services: Vec<&str> = linked.map(|registration| registration.service).collect();
    services.sort_unstable();
    services.dedup();
    let message = if services.is_empty() {
        format!(
            "no function of service `{name}` is linked into this program, nor of any other: \
             mark one with `#[guirpc::function]`; a crate that no path mentions is not linked, \
             so add `use my_functions as _;` if they live in a library"
        )
    } else {
        format!(
            "no function of service `{name}` is linked into this program; linked are: {}; serve one of them with \
             `--service`, or, if the functions live in a library that no path mentions, add `use my_functions as _;`",
            services.join(", ")
        )
    };
    Error::new(ErrorKind::Setup, message)
}

#[cfg(test)]
mod tests {
    use super::{Ack, Error, Invoke, PythonOptions, Registration, Service, StateType, nearest};
    use crate::context::StateMap;
    use crate::function::{Description, Place};

    const fn function(name: &'static str, line: u32, states: &'static [StateType]) -> Registration {
        Registration {
            name,
            service: "math",
            description: Description::empty(Place { file: "src/math.rs", line }),
            lane: None,
            timeout: None,
            idempotent: false,
            coalesce: false,
            ack: Ack::AfterReply,
            python: PythonOptions::new(),
            states,
            invoke: Invoke::Blocking(|_| unreachable!("nothing is called here")),
        }
    }

    static ADD: Registration = function("add", 1, &[]);
    static ANOTHER_ADD: Registration = function("add", 7, &[]);
    static FIND: Registration = function("find", 12, &[StateType::of::<u8>(), StateType::of::<String>()]);

    #[track_caller]
    fn check(result: Result<impl Sized, Error>, expected: &[&str]) {
        let error = result.err().expect("something is wrong with it").to_string();
        for fragment in expected {
            assert!(error.contains(fragment), "`{fragment}` is not in: {error}");
        }
    }

    #[test]
    fn functions_are_sorted_by_name() {
        let service = Service::collect("math", [&FIND, &ADD].into_iter()).unwrap();
        assert!(service.functions().map(|function| function.name).eq(["add", "find"]));
    }

    #[test]
    fn two_functions_of_one_name_are_both_named() {
        let result = Service::collect("math", [&ADD, &FIND, &ANOTHER_ADD].into_iter());
        check(result, &["two functions of service `math` are named `add`", "src/math.rs:1", "src/math.rs:7"]);
    }

    #[test]
    fn a_service_without_functions_is_told_what_there_is() {
        let linked = [&ADD].into_iter();
        check(Service::collect("maths", linked), &["no function of service `maths`", "linked are: math", "--service"]);
        let hints = ["nor of any other", "#[guirpc::function]", "use my_functions as _;"];
        check(Service::collect("math", [].into_iter()), &hints);
    }

    #[test]
    fn missing_state_is_named_with_its_function() {
        let service = Service::collect("math", [&ADD, &FIND].into_iter()).unwrap();
        let mut state = StateMap::default();
        check(service.require(&state), &["`find` (src/math.rs:12) asks for `u8`", "asks for `alloc::string::String`"]);
        state.insert(1_u8);
        state.insert(String::new());
        service.require(&state).unwrap();
    }

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["add", "subtract", "multiply"];
        let nearest = |name| nearest(name, names.into_iter());
        assert_eq!(nearest("ad"), Some("add"));
        assert_eq!(nearest("sbutract"), Some("subtract"));
        assert_eq!(nearest("multipliy"), Some("multiply"));
        for far in ["", "divide", "a"] {
            assert_eq!(nearest(far), None, "{far}");
        }
    }

    #[test]
    fn an_overlong_name_costs_nothing() {
        let name = "ä".repeat(8 << 20);
        assert_eq!(nearest(&name, ["add"].into_iter()), None);
    }
}

//! Makes the document of a service out of its functions.

use std::hash::Hasher;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value};
use siphasher::sip128::{Hasher128, SipHasher13};

use super::document::{Argument, Contract, Definitions, Error, FORMAT_VERSION, Function, Output, Python, Type};
use crate::codec::{PythonOptions, PythonSerializer};
use crate::function::TypeDescription;
use crate::message::status;
use crate::registry::{Ack, Called, Service, called};

impl Contract {
    /// The contract of a service whose functions are linked into this program.
    ///
    /// # Errors
    /// None of its functions is, or two have one name.
    pub fn of_service(name: impl AsRef<str>) -> Result<Self, crate::Error> {
        Ok(Contract::of(&Service::linked(name.as_ref())?))
    }

    /// What this program expects of a service that it calls: the functions without a body that are linked into it.
    ///
    /// It says nothing of `ack`, which only a server knows.
    pub fn of_callers(service: impl AsRef<str>) -> Self {
        let service = service.as_ref();
        make(service, called().filter(|called| called.service == service).map(|called| (*called, Ack::AfterReply)))
    }

    pub(crate) fn of(service: &Service) -> Self {
        make(&service.name, service.functions().map(|function| (function.called(), function.ack)))
    }
}

/// A function that is served elsewhere is not known to be acknowledged early.
fn make(service: &str, functions: impl Iterator<Item = (Called, Ack)>) -> Contract {
    // Sorted, so that of two types of one name the same is told from the other each time.
    let mut functions: Vec<(Called, Ack)> = functions.collect();
    functions.sort_by_key(|(called, _)| called.name);
    let mut schemas = Schemas::new();
    let functions =
        functions.iter().map(|(called, ack)| (called.name.to_owned(), schemas.function(called, *ack))).collect();
    let mut contract = Contract {
        contract: FORMAT_VERSION,
        service: service.to_owned(),
        hash: String::new(),
        functions,
        definitions: schemas.into_definitions(),
    };
    contract.hash = hash(&contract.to_json());
    contract
}

/// The same for the same text everywhere; nothing is protected by it.
fn hash(text: &str) -> String {
    let mut hasher = SipHasher13::new();
    hasher.write(text.as_bytes());
    format!("{:032x}", hasher.finish128().as_u128())
}

/// A generator for each direction, with its settings pinned: the defaults of another version may be others.
struct Schemas {
    input: SchemaGenerator,
    output: SchemaGenerator,
}

impl Schemas {
    fn new() -> Self {
        let settings = |direction: &str| {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = format!("/definitions/{direction}").into();
                settings.meta_schema = None;
                settings.inline_subschemas = false;
            })
        };
        Schemas {
            input: settings("input").for_deserialize().into_generator(),
            output: settings("output").for_serialize().into_generator(),
        }
    }

    fn function(&mut self, called: &Called, ack: Ack) -> Function {
        let Called { description, python, .. } = called;
        let required = (description.required)();
        let argument = |(parameter, required): (&crate::function::Parameter, bool)| Argument {
            name: parameter.name.to_owned(),
            required,
            ty: described(&mut self.input, &parameter.ty),
        };
        let arguments = description.parameters.iter().zip(required).map(argument).collect();
        let error = description
            .error
            .is_own_error()
            .then(|| Error { status: status::FUNCTION_ERROR, ty: described(&mut self.output, &description.error) });
        Function {
            docs: description.docs.to_owned(),
            deprecated: description.deprecated.map(str::to_owned),
            signature: description.signature.to_owned(),
            arguments,
            output: Output { ty: described(&mut self.output, &description.returns) },
            error,
            timeout_ms: called.timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)),
            lane: called.lane.map(str::to_owned),
            idempotent: called.idempotent,
            ack: ack.name().to_owned(),
            coalesce: called.coalesce,
            python: (*python != PythonOptions::default()).then(|| Python::from(python)),
        }
    }

    fn into_definitions(mut self) -> Definitions {
        let taken = |generator: &mut SchemaGenerator| {
            generator.take_definitions(true).into_iter().map(|(name, schema)| (name, sorted(schema))).collect()
        };
        Definitions { input: taken(&mut self.input), output: taken(&mut self.output) }
    }
}

fn described(generator: &mut SchemaGenerator, ty: &TypeDescription) -> Type {
    let schema = ty.schema.schema.map_or(Value::Bool(true), |schema| sorted(schema(generator).to_value()));
    Type { rust: ty.name.to_owned(), schema, bytes: ty.is_bytes() }
}

/// With its keys in order, which `serde_json` keeps otherwise in a program that has its feature `preserve_order`.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> =
                members.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(elements) => elements.into_iter().map(sorted).collect(),
        value => value,
    }
}

impl From<&PythonOptions> for Python {
    fn from(options: &PythonOptions) -> Self {
        let serializer = |serializer: PythonSerializer| serializer.class().to_owned();
        Python {
            request: serializer(options.request),
            response: serializer(options.response),
            request_codec: options.request_codec.name().to_owned(),
            response_codec: options.response_codec.name().to_owned(),
        }
    }
}

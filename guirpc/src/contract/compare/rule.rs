//! The rules: their ids, and what the page says of each.

use std::fmt;
use std::str::FromStr;

macro_rules! rules {
    ($($rule:ident $id:literal $when:literal $breaks:literal $advice:literal)+) => {
        /// What kind of change a [`Difference`](super::Difference) is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = concat!("`", $id, "`: ", $when, ".")] $rule,)+
        }

        impl Rule {
            /// All rules, in the order of the page.
            pub const ALL: &[Rule] = &[$(Rule::$rule),+];

            /// Its name, which stays.
            pub fn id(self) -> &'static str {
                match self { $(Rule::$rule => $id),+ }
            }

            /// When there is such a difference.
            pub fn when(self) -> &'static str {
                match self { $(Rule::$rule => $when),+ }
            }

            /// Whom it breaks, and whom it breaks not and harms all the same.
            pub fn whom(self) -> &'static str {
                match self { $(Rule::$rule => $breaks),+ }
            }

            /// What to do about it.
            pub fn advice(self) -> &'static str {
                match self { $(Rule::$rule => $advice),+ }
            }
        }
    };
}

rules! {
    ServiceRenamed "service-renamed"
        "the service has another name"
        "both"
        "serve the new name as a service of its own, beside the old one, until no caller uses that"
    FunctionRemoved "function-removed"
        "a function is gone that was not deprecated"
        "callers"
        "keep it, with `#[deprecated]`, for one release; then remove it"
    DeprecatedFunctionRemoved "deprecated-function-removed"
        "a function is gone that was deprecated"
        "risky for callers, who were told"
        "see by `guirpc stats` that nobody calls it any more"
    FunctionAdded "function-added"
        "a function is new"
        "servers"
        "deploy servers before callers"
    FunctionDeprecated "function-deprecated"
        "a function is deprecated now"
        "none"
        "have callers use what its reason names"
    ArgumentRemoved "argument-removed"
        "an argument is gone"
        "servers, if it was required; risky for callers, whose value is ignored (or refused, as `unknown_arguments` says)"
        "keep it and ignore it, or write a function of another name"
    ArgumentAdded "argument-added"
        "an argument is new and may be left out"
        "risky for servers, which ignore it"
        "deploy servers before callers"
    ArgumentAddedRequired "argument-added-required"
        "an argument is new and has to be there"
        "callers; risky for servers, which ignore it"
        "make it an `Option`, or write a function of another name"
    ArgumentRequired "argument-required"
        "an argument that could be left out has to be there"
        "callers"
        "leave it an `Option`, and answer `None` with a fault once no caller leaves it out"
    ArgumentOptional "argument-optional"
        "an argument that had to be there may be left out"
        "servers"
        "deploy servers before callers"
    ArgumentsReordered "arguments-reordered"
        "the same arguments are in another order"
        "risky for both: a call with a list of arguments gives each to another one, and stubs call by name"
        "leave the order as it was"
    FieldRemoved "field-removed"
        "a field is gone"
        "of an argument: servers, if it was required, and risky for callers, whose value is ignored; of an output: callers"
        "of an argument: keep it with `#[serde(default)]`; of an output: keep writing it until no caller reads it"
    FieldAdded "field-added"
        "a field is new; in an argument it may be left out"
        "of an argument: risky for servers, which ignore it; of an output: servers, which do not write it (risky if it may be null)"
        "deploy servers before callers"
    FieldAddedRequired "field-added-required"
        "a field of an argument is new and has to be there"
        "callers; risky for servers, which ignore it"
        "give it `#[serde(default)]`, or make it an `Option`"
    FieldRequired "field-required"
        "a field that could be left out has to be there"
        "in an argument callers; in an output servers"
        "give it `#[serde(default)]`"
    FieldOptional "field-optional"
        "a field that had to be there may be left out"
        "in an argument servers; in an output callers"
        "in an output: write it always, without `skip_serializing_if`"
    TypeChanged "type-changed"
        "a value is of another type"
        "whom it is read by: both, unless one of the types is read as the other"
        "add an argument, a field or a function of another name for the new type"
    IntegerNarrowed "integer-narrowed"
        "an integer holds less than before"
        "in an argument callers; in an output servers"
        "keep the wider type, and answer what is too large with a fault"
    IntegerWidened "integer-widened"
        "an integer holds more than before"
        "in an argument servers; in an output callers"
        "in an output: add a field or a function for the wider one"
    NumberNarrowed "number-narrowed"
        "a float holds less than before"
        "in an argument callers; in an output servers; only risky if it is rounded"
        "keep the wider type"
    NumberWidened "number-widened"
        "a float holds more than before"
        "in an argument servers; in an output callers; only risky if it is rounded"
        "in an output: add a field or a function for the wider one"
    NullableRemoved "nullable-removed"
        "a value that could be null cannot be any more"
        "in an argument callers; in an output servers"
        "keep the `Option`, and answer `None` with a fault"
    NullableAdded "nullable-added"
        "a value that could not be null can be now"
        "in an argument servers; in an output callers"
        "in an output: write a value that callers know"
    VariantRemoved "variant-removed"
        "a variant is gone"
        "in an argument callers; in an output servers"
        "keep the variant, and answer it with a fault"
    VariantAdded "variant-added"
        "a variant is new"
        "in an argument servers; in an output callers"
        "in an output: give it only to callers that ask for it, by an argument or a function of another name"
    TaggingChanged "tagging-changed"
        "an enum is written in another way: other `tag`, `content` or `untagged`"
        "both"
        "leave the attributes as they were, or write a type of another name for a function of another name"
    ConstraintTightened "constraint-tightened"
        "a value has to meet a condition that it had not to meet before: length, pattern, format, set"
        "in an argument callers; in an output servers; only risky if what is too much is dropped"
        "check it in the function, and answer with a fault"
    ConstraintLoosened "constraint-loosened"
        "a value need not meet a condition any more"
        "in an argument servers; in an output callers; only risky if what is too much is dropped"
        "in an output: keep to the condition"
    LengthChanged "length-changed"
        "a list or a tuple is of another length"
        "both, unless one length is within the other"
        "add an argument, a field or a function of another name"
    MapKeysChanged "map-keys-changed"
        "the keys of a map are of another type"
        "whom it is read by: a map of numbers cannot read names"
        "add an argument, a field or a function of another name"
    ErrorAdded "error-added"
        "a function that had no error of its own has one"
        "callers, who cannot read it"
        "answer with a `Fault`, which every caller can read"
    ErrorRemoved "error-removed"
        "a function has no error of its own any more"
        "servers, which may still give it"
        "deploy servers before callers"
    ErrorStatusChanged "error-status-changed"
        "a function's error has another status"
        "risky for both, where it is the status that is looked at"
        "leave the status as it was"
    IdempotentWithdrawn "idempotent-withdrawn"
        "a function is no longer `idempotent`"
        "callers, who repeat a call whose reply was lost: it may run twice"
        "write a function of another name"
    IdempotentGranted "idempotent-granted"
        "a function is `idempotent` now"
        "servers, whose function may run twice for callers that repeat calls"
        "deploy servers before callers"
    AckChanged "ack-changed"
        "a function has another `ack`: at least once and at most once are exchanged"
        "risky for both, who rely on one of them"
        "write a function of another name, unless callers bear both"
    LaneChanged "lane-changed"
        "a function has another lane"
        "callers, if no function has the old lane any more; servers, if none had the new one"
        "keep a function in the old lane; deploy servers before callers"
    TimeoutChanged "timeout-changed"
        "callers wait for another time unless they say otherwise"
        "risky for callers if it is longer, since they give up earlier; for servers if it is shorter"
        "have callers set their own timeout"
    CoalesceChanged "coalesce-changed"
        "calls travel together that did not, or the other way round"
        "none"
        "nothing"
    PythonChanged "python-changed"
        "in the dialect of the Python package requests or replies are written in another way"
        "both"
        "write a function of another name"
    Undescribed "undescribed"
        "a type does not describe itself: its schema is `true`"
        "both, since nothing is known"
        "derive `schemars::JsonSchema` for it; or look at it yourself, and waive it"
    Unprovable "unprovable"
        "a schema has what this comparison cannot judge, such as an unknown keyword"
        "whom it could break"
        "look at it yourself, and waive it"
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(id: &str) -> Result<Self, String> {
        Rule::ALL.iter().copied().find(|rule| rule.id() == id).ok_or_else(|| {
            let ids: Vec<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
            format!("there is no rule `{id}`; rules: {}", ids.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/contract/rules.md");

    #[test]
    fn ids_are_read_back() {
        for rule in Rule::ALL {
            assert_eq!(rule.id().parse(), Ok(*rule));
        }
        assert!("field-removd".parse::<Rule>().unwrap_err().contains("`field-removd`; rules: service-renamed, "));
    }

    /// `GUIRPC_BLESS=1 cargo test -p guirpc --features schema --lib rule` writes the table into the page.
    #[test]
    fn the_page_has_the_table_of_the_rules() {
        let row =
            |rule: &Rule| format!("| `{}` | {} | {} | {} |\n", rule.id(), rule.when(), rule.whom(), rule.advice());
        let rows: String = Rule::ALL.iter().map(row).collect();
        let table = format!("| rule | when | whom it breaks | what to do |\n|---|---|---|---|\n{rows}");
        let page = std::fs::read_to_string(PAGE).unwrap();
        let start = page.find("| rule |").expect("the page has the table");
        let end = page[start..].find("\n\n").map_or(page.len(), |end| start + end + 1);
        let mut blessed = page.clone();
        blessed.replace_range(start..end, &table);
        if std::env::var_os("GUIRPC_BLESS").is_some() {
            return std::fs::write(PAGE, blessed).unwrap();
        }
        assert!(page == blessed, "rules.md differs from the rules; write it by GUIRPC_BLESS=1");
    }
}

//! What the types of definitions are called: one name where all forms of a type are the same, else one for each.

use std::collections::{BTreeMap, BTreeSet};

use super::code::{Form, type_of};
use super::model::{Definitions, Direction};
use super::names;
use super::schema::Shape;

/// The names of the forms of each definition.
pub(super) struct Forms(BTreeMap<String, BTreeMap<Form, String>>);

impl Form {
    const ALL: [Form; 3] = [Form::Given, Form::Taken, Form::Received];

    pub(super) fn direction(self) -> Direction {
        match self {
            Form::Given | Form::Taken => Direction::Input,
            Form::Received => Direction::Output,
        }
    }

    fn is_there(self, definitions: &Definitions, name: &str) -> bool {
        definitions.of(self.direction()).contains_key(name)
    }
}

/// Two forms in which the type of this name is the same.
type Same<'d> = BTreeSet<(&'d str, Form, Form)>;

impl Forms {
    pub(super) fn new(definitions: &Definitions) -> Self {
        let all: BTreeSet<&str> =
            definitions.input.keys().chain(definitions.output.keys()).map(String::as_str).collect();
        let same = same(definitions, &all);
        let mut taken = BTreeSet::new();
        let mut forms = BTreeMap::new();
        for name in all {
            let is_same = |one, other| same.contains(&(name, one, other));
            let there: Vec<Form> = Form::ALL.into_iter().filter(|form| form.is_there(definitions, name)).collect();
            let mut own: BTreeMap<Form, String> = BTreeMap::new();
            for form in &there {
                let like = there.iter().find(|other| *other < form && is_same(**other, *form));
                let form_name = like.and_then(|other| own.get(other).cloned()).unwrap_or_else(|| {
                    names::unique(names::identifier(name) + suffix(*form, &there, is_same), &mut taken)
                });
                own.insert(*form, form_name);
            }
            forms.insert(name.to_owned(), own);
        }
        Forms(forms)
    }

    pub(super) fn name(&self, name: &str, form: Form) -> String {
        self.0.get(name).and_then(|forms| forms.get(&form)).cloned().unwrap_or_else(|| "unknown".to_owned())
    }

    /// Each name with the form that it is written in.
    pub(super) fn distinct<'f>(&'f self, name: &str) -> Vec<(Form, &'f str)> {
        let mut seen = BTreeSet::new();
        let forms = self.0.get(name).into_iter().flatten();
        forms.filter(|(_, name)| seen.insert(name.as_str())).map(|(form, name)| (*form, name.as_str())).collect()
    }
}

/// In which forms types are the same, down to all that they refer to.
fn same<'d>(definitions: &'d Definitions, all: &BTreeSet<&'d str>) -> Same<'d> {
    // As if what is referred to were the same in all forms.
    let by_name = |name: &str, _: Form| name.to_owned();
    let text = |name: &str, form: Form| {
        let definition = definitions.of(form.direction()).get(name)?;
        Some(type_of(definitions, &by_name, &definition.shape, form))
    };
    let pairs = [(Form::Given, Form::Taken), (Form::Given, Form::Received), (Form::Taken, Form::Received)];
    let all = all.iter().flat_map(|name| pairs.map(|(one, other)| (*name, one, other)));
    let mut same: Same<'d> = all
        .filter(|(name, one, other)| text(name, *one).is_some_and(|text_of| text(name, *other) == Some(text_of)))
        .collect();
    // Until none is found that refers to what differs.
    loop {
        let is_still = |(name, one, other): &(&str, Form, Form)| {
            let shape = definitions.of(one.direction()).get(*name).map(|definition| &definition.shape);
            shape.into_iter().flat_map(Shape::refs).all(|inner| same.contains(&(inner, *one, *other)))
        };
        let left: Same<'d> = same.iter().filter(|pair| is_still(pair)).copied().collect();
        if left.len() == same.len() {
            return left;
        }
        same = left;
    }
}

/// What tells the first of equal forms from others.
fn suffix(form: Form, there: &[Form], is_same: impl Fn(Form, Form) -> bool) -> &'static str {
    let all_same = there.windows(2).all(|pair| is_same(pair[0], pair[1]));
    match form {
        _ if all_same => "",
        Form::Given => "Input",
        Form::Taken if !there.contains(&Form::Received) => "",
        // What a server takes is mostly what a client receives.
        Form::Taken if is_same(Form::Taken, Form::Received) => "Output",
        Form::Taken => "Argument",
        Form::Received => "Output",
    }
}

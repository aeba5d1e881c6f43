//! What the types of definitions are called: one name where all forms of a type are the same, else one for each.

use std::collections::{BTreeMap, BTreeSet};

use super::code::{Form, type_of};
use super::model::{Definitions, Direction};
use super::names;

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
}

impl Forms {
    pub(super) fn new(definitions: &Definitions) -> Self {
        let names: BTreeSet<&String> = definitions.input.keys().chain(definitions.output.keys()).collect();
        let is_there = |name: &str, form: Form| definitions.of(form.direction()).contains_key(name);
        // As if all forms of a type were the same, until one is found in which two differ.
        let mut same: BTreeSet<(&str, Form, Form)> = BTreeSet::new();
        for name in &names {
            for (one, other) in
                [(Form::Given, Form::Taken), (Form::Given, Form::Received), (Form::Taken, Form::Received)]
            {
                let by_name = |name: &str, _: Form| name.to_owned();
                let text = |form: Form| {
                    let definition = definitions.of(form.direction()).get(*name)?;
                    Some(type_of(definitions, &by_name, &definition.shape, form))
                };
                if is_there(name, one) && is_there(name, other) && text(one) == text(other) {
                    same.insert((name, one, other));
                }
            }
        }
        loop {
            let differs = |&&(name, one, other): &&(&str, Form, Form)| {
                let shape = &definitions.of(one.direction())[name].shape;
                shape.refs().into_iter().any(|inner| !same.contains(&(inner, one, other)))
            };
            let different: Vec<_> = same.iter().filter(differs).copied().collect();
            if different.is_empty() {
                break;
            }
            same.retain(|pair| !different.contains(pair));
        }
        let mut taken = BTreeSet::new();
        let forms = names.into_iter().map(|name| {
            let is_same = |one, other| same.contains(&(name.as_str(), one, other));
            let there: Vec<Form> = Form::ALL.into_iter().filter(|form| is_there(name, *form)).collect();
            let mut chosen: BTreeMap<Form, String> = BTreeMap::new();
            for form in &there {
                let like = there.iter().find(|other| *other < form && is_same(**other, *form));
                let own = || {
                    let suffix = suffix(*form, &there, is_same);
                    names::unique(names::identifier(name) + suffix, &mut taken)
                };
                let form_name = like.and_then(|other| chosen.get(other).cloned()).unwrap_or_else(own);
                chosen.insert(*form, form_name);
            }
            (name.clone(), chosen)
        });
        Forms(forms.collect())
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

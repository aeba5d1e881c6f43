//! `types.ts`: the types of the definitions.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::code::declaration;
use super::model::Model;

pub(super) fn types(model: &Model<'_>) -> String {
    let name_of = |name: &str, form| model.forms.name(name, form);
    let names: BTreeSet<&String> = model.definitions.input.keys().chain(model.definitions.output.keys()).collect();
    let mut text = "// What functions take and return.\n".to_owned();
    for name in names {
        for (form, form_name) in model.forms.distinct(name) {
            let Some(definition) = model.definitions.of(form.direction()).get(name) else { continue };
            let heading = (form_name, definition.docs.as_str());
            let declared = declaration(&model.definitions, &name_of, heading, &definition.shape, form);
            // Writing to a text cannot fail.
            let _ = write!(text, "\n{declared}");
        }
    }
    // Without a definition it would be no module.
    text + "\nexport {};\n"
}

//! The section of a file that is the program's own.

use std::fmt::{self, Display};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

pub(super) const SECTION: &str = "program";

/// Settings of which guirpc knows nothing.
#[derive(Clone, Default)]
pub(crate) struct OwnSection {
    table: Table,
    file: Option<String>,
}

impl OwnSection {
    /// Takes it out of those of the file.
    pub(super) fn take(sections: &mut Table, file: &dyn Display) -> Self {
        let table = match sections.remove(SECTION) {
            Some(Value::Table(table)) => table,
            _ => Table::new(),
        };
        OwnSection { table, file: Some(file.to_string()) }
    }

    /// Reads it as the program wants it.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        self.table.clone().try_into().map_err(|error: toml::de::Error| match &self.file {
            Some(file) => format!("[{SECTION}] of {file}: {}", error.message()),
            None => format!(
                "{}: settings of the program's own stand below `[{SECTION}]` in a TOML file that `--config` or \
                 GUIRPC_CONFIG names, and there is none",
                error.message()
            ),
        })
    }
}

/// The names only: a value may be a password.
impl fmt::Debug for OwnSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.table.keys()).finish()
    }
}

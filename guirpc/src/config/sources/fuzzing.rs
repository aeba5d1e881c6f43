//! For the fuzz targets: files of settings.

use super::file::{FileKind, parse};
use super::{Settings, Side};

/// Reads a file of settings, and each setting in it.
pub fn settings(text: &str) {
    for kind in [FileKind::Toml, FileKind::Ini] {
        for side in [Side::Server, Side::Client] {
            let Ok((values, own)) = parse(text, kind, &"a file", side) else { continue };
            let settings = Settings { side, values, own };
            for setting in side.settings() {
                let _ = settings.text(setting.name).map_err(|error| error.to_string());
            }
        }
    }
}

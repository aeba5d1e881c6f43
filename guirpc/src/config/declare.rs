//! The declaration of settings: everything that is known of one stands in one place.

/// Declares a struct of settings, their defaults, and the table by which they are read and documented.
///
/// Settings stand in groups, each under its heading in the help and on the page.
/// A setting is its help, its name, its type, and in braces what it `takes`, its `default`, what is `shown` for a
/// default that is not a value of its own, and its names in an INI file: the section without `server` or `client`,
/// a dot, and the key.
macro_rules! settings {
    (@shown $shown:expr, $own:expr) => { String::from($shown) };
    (@shown , $own:expr) => { $own };
    (
        $(#[$meta:meta])*
        $visibility:vis struct $config:ident, listed in $table:ident {
            $($heading:literal {
                $(
                    $(#[doc = $help:literal])+
                    $name:ident: $ty:ty {
                        takes: $kind:expr,
                        default: $default:expr,
                        $(shown: $shown:expr,)?
                        ini: $ini:expr $(,)?
                    }
                )+
            })+
        }
    ) => {
        $(#[$meta])*
        $visibility struct $config {
            $($(
                $(#[doc = $help])+
                pub(crate) $name: $ty,
            )+)+
        }

        impl Default for $config {
            fn default() -> Self {
                $config { $($($name: $default,)+)+ }
            }
        }

        pub(crate) const $table: &[$crate::config::Setting] = &[$($(
            $crate::config::Setting {
                name: stringify!($name),
                heading: $heading,
                kind: $kind,
                default: || settings!(@shown $($shown)?, <$ty as $crate::config::Value>::show(&$default)),
                help: concat!($($help),+).trim_ascii(),
                ini: $ini,
            },
        )+)+];

        #[cfg(feature = "config")]
        impl $config {
            /// Takes what is set, and leaves the rest at its default.
            pub(crate) fn new(settings: &$crate::config::Settings) -> Result<Self, $crate::Error> {
                let default = $config::default();
                Ok($config { $($($name: settings.value(stringify!($name))?.unwrap_or(default.$name),)+)+ })
            }

            /// Whether the text can be read as the type of the setting.
            #[cfg(test)]
            pub(crate) fn reads(name: &str, text: &str) -> bool {
                match name {
                    $($(stringify!($name) => <$ty as $crate::config::Value>::read(text).is_some(),)+)+
                    _ => false,
                }
            }
        }
    };
}

pub(super) use settings;

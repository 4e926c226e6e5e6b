//! How sections are declared: each key once, with everything that is to be known of it.

use super::key::Key;

/// A part of the configuration: keys, or further parts.
pub trait Section {
    /// Adds its keys, each with `prefix` before its name.
    fn describe(prefix: &str, keys: &mut Vec<Key>);
}

/// `prefix.name`, or `name` where nothing stands before it.
pub fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}.{name}")
    }
}

/// Declares a section: its struct, its defaults, and what the reference, the checks and the schema say of each key.
///
/// ```text
/// section! {
///     /// What the section is for.
///     pub struct Trajectory {
///         /// What the key is for. Why its default is what it is.
///         assumed_stick_speed: f64 = 2.0, in 0.1..=15.0, "metres per second", applies AtOnce;
///     }
/// }
/// ```
///
/// After the default come, each if there is one: the range (`in 0.01..=0.1 or 0.0` allows one value outside of it), the
/// unit, and when a change takes effect (`AtStart` unless said otherwise). Types: see [`ConfigValue`](super::ConfigValue).
#[macro_export]
macro_rules! section {
    (
        $(#[doc = $about:expr])+
        pub struct $name:ident {
            $(
                $(#[doc = $doc:expr])+
                $field:ident: $type:ty = $default:expr
                    $(, in $low:literal..=$high:literal $(or $or:literal)?)?
                    $(, $unit:literal)?
                    $(, applies $applies:ident)?;
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: $type,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $crate::config::Section for $name {
            fn describe(prefix: &str, keys: &mut Vec<$crate::config::Key>) {
                use $crate::config::{Key, join};
                let (default, about): (_, &'static [&'static str]) = (Self::default(), &[$($about),+]);
                $(
                    keys.push(
                        Key::new(join(prefix, stringify!($field)), &default.$field, &[$($doc),+], about)
                            $(.within($low as f64, $high as f64, &[$($or as f64)?]))?
                            $(.measured_in($unit))?
                            $(.applying($crate::config::Applies::$applies))?,
                    );
                )+
            }
        }
    };
}

/// Declares a section that holds further sections; after a semicolon, fields that are no part of the file.
#[macro_export]
macro_rules! sections {
    (
        $(#[doc = $about:expr])+
        pub struct $name:ident {
            $($(#[doc = $doc:expr])+ $field:ident: $type:ty,)+
            $(; $($(#[doc = $beside_doc:expr])+ $beside:ident: $beside_type:ty,)+)?
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: $type,)+
            $($($(#[doc = $beside_doc])+ #[serde(skip)] pub $beside: $beside_type,)+)?
        }

        impl $crate::config::Section for $name {
            fn describe(prefix: &str, keys: &mut Vec<$crate::config::Key>) {
                $(<$type>::describe(&$crate::config::join(prefix, stringify!($field)), keys);)+
            }
        }
    };
}

//! The fields of methods and of properties, between their bytes and `name=value`.

use anyhow::{Context, bail};

use super::table;
use super::text::{quote, unquote};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    U8,
    U16,
    U32,
    U64,
    Time,
    Short,
    Long,
    Bit,
    Table,
    /// Words of which no order is promised, such as the mechanisms of a broker: shown sorted.
    Words,
    /// Who a broker is: shown is what it can do, since its version, its platform and its names differ by machine.
    Identity,
}

/// A field; one without a name is reserved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

impl Field {
    /// From `kind:name`.
    pub(crate) fn parse(text: &'static str) -> Self {
        let (kind, name) = text.split_once(':').expect("a field has a kind and a name");
        let kind = match kind {
            "u8" => Kind::U8,
            "u16" => Kind::U16,
            "u32" => Kind::U32,
            "u64" => Kind::U64,
            "time" => Kind::Time,
            "short" => Kind::Short,
            "long" => Kind::Long,
            "bit" => Kind::Bit,
            "table" => Kind::Table,
            "words" => Kind::Words,
            "identity" => Kind::Identity,
            kind => panic!("no kind {kind}"),
        };
        Self { name, kind }
    }
}

/// Bytes that are read from their front.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn take<const N: usize>(&mut self) -> anyhow::Result<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk().context("it ends too early")?;
        self.0 = rest;
        Ok(*first)
    }

    pub(crate) fn short(&mut self) -> anyhow::Result<&'a [u8]> {
        let [length] = self.take()?;
        self.split(length.into())
    }

    pub(crate) fn long(&mut self) -> anyhow::Result<&'a [u8]> {
        let length = u32::from_be_bytes(self.take()?);
        self.split(length.try_into()?)
    }

    fn split(&mut self, length: usize) -> anyhow::Result<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(length).context("it ends too early")?;
        self.0 = rest;
        Ok(first)
    }

    /// A field as `name=value`; nothing if it is a number that is reserved, an empty table or a bit.
    pub(crate) fn field(&mut self, field: Field) -> anyhow::Result<Option<String>> {
        let value = match field.kind {
            Kind::U8 => u8::from_be_bytes(self.take()?).to_string(),
            Kind::U16 => u16::from_be_bytes(self.take()?).to_string(),
            Kind::U32 => u32::from_be_bytes(self.take()?).to_string(),
            Kind::U64 => u64::from_be_bytes(self.take()?).to_string(),
            Kind::Time => table::time(u64::from_be_bytes(self.take()?)),
            Kind::Short => quote(self.short()?),
            Kind::Long => quote(self.long()?),
            Kind::Table => table::decode(self.long()?)?,
            Kind::Words => quote(sorted(self.long()?).as_bytes()),
            Kind::Identity => table::decode_only("capabilities", self.long()?)?,
            Kind::Bit => bail!("bits are read together"),
        };
        let shown = !field.name.is_empty() && value != "{}";
        Ok(shown.then(|| format!("{}={value}", field.name)))
    }
}

fn sorted(words: &[u8]) -> String {
    let text = String::from_utf8_lossy(words);
    let mut words: Vec<&str> = text.split(' ').collect();
    words.sort_unstable();
    words.join(" ")
}

/// The bytes of a field from its value in a script.
pub(crate) fn encode(field: Field, value: &str) -> anyhow::Result<Vec<u8>> {
    let short = |bytes: Vec<u8>| anyhow::Ok([&[u8::try_from(bytes.len())?][..], &bytes].concat());
    let long = |bytes: Vec<u8>| anyhow::Ok([&u32::try_from(bytes.len())?.to_be_bytes()[..], &bytes].concat());
    match field.kind {
        Kind::U8 => Ok(value.parse::<u8>()?.to_be_bytes().to_vec()),
        Kind::U16 => Ok(value.parse::<u16>()?.to_be_bytes().to_vec()),
        Kind::U32 => Ok(value.parse::<u32>()?.to_be_bytes().to_vec()),
        Kind::U64 | Kind::Time => Ok(value.parse::<u64>()?.to_be_bytes().to_vec()),
        Kind::Short => short(unquote(value)?),
        Kind::Long | Kind::Words => long(unquote(value)?),
        Kind::Table | Kind::Identity => long(table::encode(value)?),
        Kind::Bit => bail!("bits are written together"),
    }
}

/// What a field holds of which a script says nothing.
pub(crate) fn default(kind: Kind) -> &'static str {
    match kind {
        Kind::U8 | Kind::U16 | Kind::U32 | Kind::U64 | Kind::Time => "0",
        Kind::Short | Kind::Long | Kind::Words | Kind::Bit => "",
        Kind::Table | Kind::Identity => "{}",
    }
}

//! Written by `guirpc contract client --lang rust`;
//! write it anew rather than change it.
//!
//! Types that travel.

use serde::{Deserialize, Serialize};

/// What can be ordered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArticleInput {
    pub id: u64,
    /// As customers see it.
    pub name: String,
    #[serde(default)]
    pub tags: Vec<String>,
}

/// What can be ordered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArticleOutput {
    pub id: u64,
    /// As customers see it.
    pub name: String,
    pub tags: Vec<String>,
}

/// How it gets there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Delivery {
    /// Fetched by the customer.
    #[serde(rename = "pickup")]
    Pickup,
    #[serde(rename = "parcel")]
    Parcel { street: String, weight: f32 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub article: ArticleInput,
    pub count: u16,
    pub delivery: Delivery,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub prices: std::collections::BTreeMap<String, f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PlaceError {
    SoldOut,
    TooMany { left: u16 },
}

impl std::fmt::Display for PlaceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| std::fmt::Error)?;
        f.write_str(&text)
    }
}

impl std::error::Error for PlaceError {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    pub number: u64,
    /// What is left, by the number of the shelf.
    pub stock: std::collections::BTreeMap<u64, i32>,
    pub total: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Size {
    Small,
    Large,
    Custom(u32, u32),
}

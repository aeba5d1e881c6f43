//! Calls every function of the shop through the crate that was made of its contract, at the broker in the argument.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::time::Duration;

use guirpc::{CallError, Client, Function};
use serde_json::json;
use shop_client::types::{ArticleInput, Delivery, Order, PlaceError, Size};

fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::connect(&env::args().nth(1).ok_or("no broker")?)?;
    assert_eq!(shop_client::CONTRACT.len(), 32);
    assert_eq!(shop_client::add::call(&client, i64::MAX, 1)?, i64::MIN);
    assert_eq!(shop_client::checksum::call(&client, &[1, 2, 255])?, 258);
    assert_eq!(<shop_client::checksum as Function>::TIMEOUT, Some(Duration::from_secs(20)));
    find(&client)?;
    let thing = json!({ "value": [1, { "a": null }, "b"] });
    assert_eq!(shop_client::opaque::call(&client, thing.clone())?, thing);
    place(&client)?;
    shop_client::reset::call(&client)?;
    println!("every function was called");
    Ok(())
}

#[expect(deprecated, reason = "the service says so")]
fn find(client: &Client) -> Result<(), Box<dyn Error>> {
    assert_eq!(<shop_client::find as Function>::LANE, Some("search"));
    const { assert!(<shop_client::find as Function>::IDEMPOTENT) };
    let found = shop_client::find::call(client, "tea", Some(2))?;
    let names: Vec<&str> = found.iter().map(|article| article.name.as_str()).collect();
    assert_eq!(names, ["tea 1", "tea 2"]);
    assert_eq!(found[1].tags, ["found"]);
    assert_eq!(shop_client::find::call(client, "tea", None)?.len(), 3);
    Ok(())
}

fn order(count: u16) -> Order {
    Order {
        article: ArticleInput { id: 5, name: "tea".to_owned(), tags: Vec::new() },
        count,
        delivery: Delivery::Parcel { street: "Quay 1".to_owned(), weight: 0.5 },
        note: None,
        prices: BTreeMap::from([("unit".to_owned(), 1.25)]),
        size: Some(Size::Custom(3, 4)),
    }
}

fn place(client: &Client) -> Result<(), Box<dyn Error>> {
    let receipt = shop_client::place::call(client, order(3))?;
    assert_eq!((receipt.number, receipt.total.to_string().as_str()), ((1 << 60) + 5, "3.75"));
    assert_eq!(receipt.stock, BTreeMap::from([(7, 7)]));
    let others = Order { delivery: Delivery::Pickup, size: Some(Size::Small), note: Some("now".to_owned()), ..order(1) };
    shop_client::place::call(client, others)?;
    let sold_out = shop_client::place::call(client, order(0));
    assert!(matches!(sold_out, Err(CallError::Function(PlaceError::SoldOut))), "{sold_out:?}");
    match shop_client::place::call(client, order(11)) {
        Err(CallError::Function(error @ PlaceError::TooMany { left: 10 })) => {
            assert_eq!(error.to_string(), r#"{"TooMany":{"left":10}}"#);
        }
        other => return Err(format!("no error of its own: {other:?}").into()),
    }
    Ok(())
}

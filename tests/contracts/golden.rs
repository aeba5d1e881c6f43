//! The contract of a service, byte for byte: `GUIRPC_BLESS=1 cargo test -p guirpc-tests --test contract` rewrites it.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

#[test]
fn a_service_writes_its_contract() {
    let output = Command::new(env!("CARGO_BIN_EXE_shop")).arg("contract").output().expect("the service runs");
    assert!(output.status.success(), "{output:?}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts/shop.json");
    if env::var_os("GUIRPC_BLESS").is_some() {
        fs::write(&path, &output.stdout).expect("the golden can be written");
    }
    let golden = fs::read(&path).expect("the golden is there");
    assert_eq!(String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&golden));
}

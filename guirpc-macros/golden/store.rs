use guirpc::{Fault, Reply};

type StoreResult<T> = Result<T, Fault>;

/// Stores bytes, and says with a status of its own that it did.
#[deprecated = "use a database"]
#[cfg(not(windows))]
#[guirpc::function(stub = store_call)]
pub async fn store(r#type: Option<String>, bytes: &[u8], mut copies: u8) -> StoreResult<Reply<usize>> {
    copies += 1;
    let length = bytes.len() * usize::from(copies) + r#type.map_or(0, |name| name.len());
    Ok(Reply::with_status(201, std::future::ready(length).await))
}

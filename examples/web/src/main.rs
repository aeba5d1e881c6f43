//! A web server whose handlers call a service: `cargo run -p web`, while `cargo run -p accounts` serves.
//!
//! All handlers share one thread: the `_async` forms of the stubs never block it.

use std::env;

use anyhow::Context;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use guirpc::{CallError, Client};
use serde::Deserialize;
use serde_json::json;

mod accounts;

use accounts::{Account, AccountError, Receipt, find, open, transfer};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let uri = env::var("AMQP_URI").unwrap_or_else(|_| "amqp://guest:guest@localhost:5672/%2f".to_owned());
    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener =
        tokio::net::TcpListener::bind(&address).await.with_context(|| format!("cannot listen on {address}"))?;
    println!("listening on http://{}", listener.local_addr()?);
    // The broker may be started later.
    axum::serve(listener, router(Client::lazy(uri)?)).await?;
    Ok(())
}

fn router(client: Client) -> Router {
    Router::new()
        .route("/accounts/{owner}", get(show_account).post(open_account))
        .route("/transfers", post(move_money))
        .with_state(client)
}

async fn show_account(State(client): State<Client>, Path(owner): Path<String>) -> Result<Json<Account>, Failure> {
    Ok(Json(find::call_async(&client, &owner).await?))
}

async fn open_account(
    State(client): State<Client>,
    Path(owner): Path<String>,
    Json(balance): Json<u32>,
) -> Result<(StatusCode, Json<Account>), Failure> {
    Ok((StatusCode::CREATED, Json(open::call_async(&client, &owner, balance).await?)))
}

#[derive(Deserialize)]
struct Transfer {
    from: String,
    to: String,
    amount: u64,
}

async fn move_money(State(client): State<Client>, Json(it): Json<Transfer>) -> Result<Json<Receipt>, Failure> {
    Ok(Json(transfer::call_async(&client, &it.from, &it.to, it.amount).await?))
}

/// Why a call has no output, as a web browser is told it.
struct Failure(CallError<AccountError>);

impl From<CallError<AccountError>> for Failure {
    fn from(error: CallError<AccountError>) -> Self {
        Failure(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Failure(error) = self;
        let status = match &error {
            CallError::Function(AccountError::Missing { .. }) => StatusCode::NOT_FOUND,
            CallError::Function(AccountError::Taken { .. } | AccountError::TooPoor { .. }) => StatusCode::CONFLICT,
            CallError::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
            error if error.may_have_run() => StatusCode::BAD_GATEWAY,
            // It certainly did not run, so the browser may try again.
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, Json(json!({ "error": error.to_string() }))).into_response()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    /// What the web server answers, and with which status.
    async fn ask(router: &Router, request: Request<Body>) -> anyhow::Result<(StatusCode, serde_json::Value)> {
        let response = router.clone().oneshot(request).await?;
        let status = response.status();
        Ok((status, serde_json::from_slice(&to_bytes(response.into_body(), 1000).await?)?))
    }

    fn post(path: &str, body: &serde_json::Value) -> anyhow::Result<Request<Body>> {
        let json = Request::post(path).header("content-type", "application/json");
        Ok(json.body(Body::from(body.to_string()))?)
    }

    /// The service is not needed: closures stand in for its functions.
    #[tokio::test(flavor = "current_thread")]
    async fn outcomes_become_statuses() -> anyhow::Result<()> {
        let service = guirpc::testing::serve!()
            .stand_in::<find, _>(|owner| match owner {
                "ada" => Ok(Account { owner: owner.to_owned(), balance: 70 }),
                _ => Err(AccountError::Missing { owner: owner.to_owned() }),
            })
            .stand_in::<transfer, _>(|_, _, amount| Err(AccountError::TooPoor { lacking: amount - 70 }))
            .start()?;
        let router = router(service.client().clone());
        let found = ask(&router, Request::get("/accounts/ada").body(Body::empty())?).await?;
        assert_eq!(found, (StatusCode::OK, json!({ "owner": "ada", "balance": 70 })));
        let missing = ask(&router, Request::get("/accounts/bob").body(Body::empty())?).await?;
        assert_eq!(missing, (StatusCode::NOT_FOUND, json!({ "error": "bob has no account" })));
        let poor = ask(&router, post("/transfers", &json!({ "from": "ada", "to": "bob", "amount": 100 }))?).await?;
        assert_eq!(poor, (StatusCode::CONFLICT, json!({ "error": "30 cents are lacking" })));
        // Nothing stands in for this one, so it is not served.
        let (status, _) = ask(&router, post("/accounts/eve", &json!(0))?).await?;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        Ok(())
    }
}

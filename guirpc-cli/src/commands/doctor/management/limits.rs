//! Limits that an administrator has set for the virtual host and the user, and how far they are reached.

use std::collections::BTreeMap;

use guirpc::inspect::Inspection;
use serde::Deserialize;

use super::{Management, segment};
use crate::commands::doctor::finding::Finding;
use guirpc::__private_0_1::Exit;

const CHECK: &str = "limits.connections";
/// A server of one lane and a client.
const NEEDED: i64 = 3;

/// The limits of a virtual host or of a user.
#[derive(Deserialize)]
struct Limits {
    value: BTreeMap<String, i64>,
}

#[derive(Deserialize)]
struct Connection {
    #[serde(default)]
    vhost: String,
    #[serde(default)]
    user: String,
}

pub(in crate::commands::doctor) fn examine(management: &Management, inspection: &Inspection) -> Vec<Finding> {
    match look(management, inspection) {
        Ok(findings) => findings,
        Err(finding) => vec![*finding],
    }
}

fn look(management: &Management, inspection: &Inspection) -> Result<Vec<Finding>, Box<Finding>> {
    let (vhost, user) = (inspection.vhost(), inspection.user());
    let limit = |path: String| {
        let limits: Option<Vec<Limits>> = management.get(CHECK, &path)?;
        Ok::<_, Box<Finding>>(
            limits.unwrap_or_default().iter().find_map(|limits| limits.value.get("max-connections").copied()),
        )
    };
    let of_vhost = limit(format!("/api/vhost-limits/{}", segment(vhost)))?;
    let of_user = limit(format!("/api/user-limits/{}", segment(user)))?;
    if of_vhost.is_none() && of_user.is_none() {
        return Ok(vec![Finding::ok(CHECK, "neither the virtual host nor the user has a limit")]);
    }
    let connections: Vec<Connection> =
        management.get(CHECK, "/api/connections?columns=vhost,user")?.unwrap_or_default();
    let count = |is_its: &dyn Fn(&Connection) -> bool| {
        i64::try_from(connections.iter().filter(|connection| is_its(connection)).count()).unwrap_or(i64::MAX)
    };
    let of_vhost = of_vhost
        .map(|limit| judge(count(&|connection| connection.vhost == vhost), limit, "set_vhost_limits").about(vhost));
    let of_user =
        of_user.map(|limit| judge(count(&|connection| connection.user == user), limit, "set_user_limits").about(user));
    Ok(of_vhost.into_iter().chain(of_user).collect())
}

/// A limit below 0 is none.
fn judge(used: i64, limit: i64, command: &str) -> Finding {
    let found = format!("{used} of {limit} connections are open");
    if limit < 0 || limit.saturating_sub(used) >= NEEDED {
        return Finding::ok(CHECK, found);
    }
    let finding =
        if used >= limit { Finding::error(CHECK, Exit::Broker, found) } else { Finding::warning(CHECK, found) };
    finding
        .means("a server has two connections for each lane, a client one: the next to come is refused")
        .advise(format!("`rabbitmqctl {command}` raises the limit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_server_has_to_fit() {
        let severity = |used, limit| judge(used, limit, "").severity.name();
        assert_eq!(severity(5, -1), "ok");
        assert_eq!(severity(5, 8), "ok");
        assert_eq!(severity(6, 8), "warning");
        assert_eq!(severity(8, 8), "error");
    }
}

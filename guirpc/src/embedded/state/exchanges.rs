//! Exchanges: declared and deleted.

use amq_protocol::protocol::AMQPClass;
use amq_protocol::protocol::exchange::{AMQPMethod as Method, Declare, DeclareOk, Delete, DeleteOk};

use super::BrokerState;
use crate::embedded::arguments::require_equal;
use crate::embedded::exchange::{Exchange, Kind};
use crate::embedded::ids::ChannelId;
use crate::embedded::refusal::{Code, Refusal};

const RESERVED: &str = "amq.";

/// The exchanges that are always there, beside the default one.
pub(super) const PREDECLARED: [(&str, Kind); 3] =
    [("amq.direct", Kind::Direct), ("amq.fanout", Kind::Fanout), ("amq.topic", Kind::Topic)];

pub(super) fn is_predeclared(name: &str) -> bool {
    PREDECLARED.iter().any(|(predeclared, _)| *predeclared == name)
}

/// The kinds that RabbitMQ has and this broker has not.
const ELSEWHERE: [&str; 1] = ["headers"];

impl BrokerState {
    pub(super) fn declare_exchange(&mut self, channel_id: ChannelId, declare: &Declare) -> Result<(), Refusal> {
        let Declare { exchange: name, nowait, .. } = declare;
        refuse_default(name)?;
        let existing = self.exchanges.get(name);
        if declare.passive {
            existing.ok_or_else(|| Refusal::no_exchange(name))?;
        } else {
            let wanted = requested(declare)?;
            if let Some(existing) = existing {
                require_same(name, existing, &wanted)?;
            } else {
                refuse_reserved("exchange", name)?;
                self.exchanges.insert(name.clone(), wanted);
            }
        }
        if !nowait {
            self.send(channel_id, &AMQPClass::Exchange(Method::DeclareOk(DeclareOk {})));
        }
        Ok(())
    }

    pub(super) fn delete_exchange(&mut self, channel_id: ChannelId, delete: &Delete) -> Result<(), Refusal> {
        let name = &delete.exchange;
        refuse_default(name)?;
        if is_predeclared(name) {
            let text = format!("deletion of system exchange '{name}' in vhost '/' not allowed");
            return Err(Refusal::new(Code::AccessRefused, text));
        }
        let used = self.exchanges.get(name).is_some_and(|exchange| !exchange.bindings.is_empty());
        if delete.if_unused && used {
            return Err(Refusal::precondition(format!("exchange '{name}' in vhost '/' in use")));
        }
        self.exchanges.remove(name);
        if !delete.nowait {
            self.send(channel_id, &AMQPClass::Exchange(Method::DeleteOk(DeleteOk {})));
        }
        Ok(())
    }

    /// The exchange of this name; the default exchange is none.
    pub(super) fn exchange(&mut self, name: &str) -> Result<&mut Exchange, Refusal> {
        self.exchanges.get_mut(name).ok_or_else(|| Refusal::no_exchange(name))
    }

    /// Deletes the exchanges that are not needed without a binding, and have lost their last one.
    pub(super) fn remove_unbound(&mut self, names: &[String]) {
        for name in names {
            if self.exchanges.get(name).is_some_and(|exchange| exchange.auto_delete && exchange.bindings.is_empty()) {
                self.exchanges.remove(name);
            }
        }
    }
}

/// The exchange that a declaration asks for.
fn requested(declare: &Declare) -> Result<Exchange, Refusal> {
    let kind = Kind::from_name(&declare.type_).ok_or_else(|| {
        let name = &declare.type_;
        if ELSEWHERE.contains(&name.as_str()) {
            return Refusal::not_implemented(format!("exchange type '{name}' is not supported by the embedded broker"));
        }
        Refusal::new(Code::CommandInvalid, format!("unknown exchange type '{name}'"))
    })?;
    if let Some(argument) = declare.arguments.keys().next() {
        let text = format!("argument '{argument}' of an exchange is not supported by the embedded broker");
        return Err(Refusal::not_implemented(text));
    }
    let &Declare { durable, auto_delete, internal, .. } = declare;
    Ok(Exchange { durable, auto_delete, internal, ..Exchange::new(kind) })
}

fn require_same(name: &str, current: &Exchange, received: &Exchange) -> Result<(), Refusal> {
    let flag = |flag: bool| flag.to_string();
    let compared = [
        ("type", current.kind.name().to_owned(), received.kind.name().to_owned()),
        ("durable", flag(current.durable), flag(received.durable)),
        ("auto_delete", flag(current.auto_delete), flag(received.auto_delete)),
        ("internal", flag(current.internal), flag(received.internal)),
    ];
    compared.iter().try_for_each(|(field, current, received)| {
        require_equal(&format!("exchange '{name}'"), field, current, received)
    })
}

pub(super) fn refuse_default(name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(Refusal::new(Code::AccessRefused, "operation not permitted on the default exchange"));
    }
    Ok(())
}

pub(super) fn refuse_reserved(what: &str, name: &str) -> Result<(), Refusal> {
    if name.starts_with(RESERVED) {
        let text = format!("{what} name '{name}' contains reserved prefix '{RESERVED}*'");
        return Err(Refusal::new(Code::AccessRefused, text));
    }
    Ok(())
}

//! What the user may do, by the roles that the guide on reliability lists.
//!
//! RabbitMQ is asked for what it refuses in any case, or what changes nothing, and says first if the user may not.

use guirpc::__private_0_1::Exit;
use guirpc::Error;
use guirpc::inspect::{Declared, Inspection, Right};

use super::finding::Finding;
use super::{Examination, argument, versions};
use crate::args::Role;

/// The exchange that every queue is bound to by its name.
const DEFAULT_EXCHANGE: &str = "";

pub(super) fn examine(examination: &Examination<'_>) -> Vec<Finding> {
    let roles = [Role::Caller, Role::Server, Role::Operator];
    let product = &examination.inspection.broker().product;
    if product != versions::RABBITMQ {
        let why = format!("only RabbitMQ can be asked for rights, and this is {product}");
        return roles.map(|role| Finding::skipped(role.check(), why.clone())).into();
    }
    if examination.is_blocked {
        let why = "the broker takes no messages at the moment, so it cannot be asked what may be published";
        return roles.map(|role| Finding::skipped(role.check(), why)).into();
    }
    let lacks = roles.map(|role| lacks(role, examination));
    // A user that may do nothing of it is for nothing here.
    let is_useless = lacks.iter().all(|lacks| matches!(lacks, Ok(Some(lacks)) if !lacks.is_empty()));
    let judge = |(role, lacks): (Role, Result<Option<Vec<String>>, Error>)| match lacks {
        Ok(lacks) => Some(judge(role, &lacks?, is_useless, examination)),
        Err(error) => Some(Finding::skipped(role.check(), error.to_string())),
    };
    roles.into_iter().zip(lacks).filter_map(judge).collect()
}

impl Role {
    fn check(self) -> &'static str {
        match self {
            Role::Caller => "permissions.call",
            Role::Server => "permissions.serve",
            Role::Operator => "permissions.dead-letters",
        }
    }

    fn does(self) -> &'static str {
        match self {
            Role::Caller => "call functions",
            Role::Server => "serve functions",
            Role::Operator => "read and requeue dead letters, and ask servers how they do",
        }
    }

    /// What it needs to configure, to write and to read, as regular expressions.
    fn rights(self, service: Option<&str>, exchange: &str) -> [String; 3] {
        let service = service.map_or_else(|| "SERVICE".to_owned(), escaped);
        let exchange = escaped(exchange);
        match self {
            Role::Caller => ["^$".to_owned(), format!("^{exchange}$"), "^$".to_owned()],
            Role::Server => [
                format!(r"^({exchange}|guirpc\.control.*|{service}(\..*)?)$"),
                format!(r"^(guirpc\.control\..*|{service}(\..*)?|amq\.default)$"),
                format!(r"^({exchange}|guirpc\.control.*|{service}(\..*)?)$"),
            ],
            Role::Operator => {
                let own = format!(r"^({service}\.dead|guirpc\.control\.)");
                [own.clone(), r"^(amq\.default|guirpc\.control)$".to_owned(), own]
            }
        }
    }
}

/// A name in a regular expression.
fn escaped(name: &str) -> String {
    let mut escaped = String::new();
    for character in name.chars() {
        if character.is_ascii_punctuation() && !"_-/".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// What a user lacks for it; `None` if that depends on a service, and none is named.
fn lacks(role: Role, examination: &Examination<'_>) -> Result<Option<Vec<String>>, Error> {
    let Examination { doctor, settings, inspection, .. } = examination;
    let mut lacks = Lacks { inspection, all: Vec::new() };
    let exchange = settings.exchange();
    if role == Role::Caller {
        lacks.ask(Right::Publish(exchange), || format!("write to exchange `{exchange}`"))?;
        return Ok(Some(lacks.all));
    }
    let Some(service) = &doctor.service else { return Ok(None) };
    let queues = settings.queues(service, None);
    let (dead, others) = queues.split_last().expect("the last is that of dead letters");
    if role == Role::Server {
        // What is there is taken as it is by a server that may not declare it.
        if inspection.exchange(settings)? == Declared::Missing {
            lacks.ask(Right::DeclareExchange(exchange), || format!("configure exchange `{exchange}`"))?;
        }
        for queue in &queues {
            let name = queue.name();
            if inspection.backlog(name).is_ok_and(|backlog| backlog.is_none()) {
                lacks.ask(Right::DeclareQueue(name), || format!("configure queue `{name}`"))?;
                if queue.name() == others[0].name() {
                    let what = || format!("write to queue `{name}` and read exchange `{exchange}`, to bind them");
                    lacks.ask(Right::Bind { queue: name, exchange }, what)?;
                }
            }
        }
        for queue in others {
            lacks.ask(Right::Consume(queue.name()), || format!("read queue `{}`", queue.name()))?;
        }
    } else {
        let name = dead.name();
        lacks.ask(Right::DeclareQueue(name), || format!("configure queue `{name}`"))?;
        lacks.ask(Right::Consume(name), || format!("read queue `{name}`"))?;
    }
    lacks.ask(Right::Publish(DEFAULT_EXCHANGE), || "write to the default exchange, `amq.default`".to_owned())?;
    Ok(Some(lacks.all))
}

struct Lacks<'a> {
    inspection: &'a Inspection,
    all: Vec<String>,
}

impl Lacks<'_> {
    fn ask(&mut self, right: Right<'_>, what: impl FnOnce() -> String) -> Result<(), Error> {
        if self.inspection.refusal(right)?.is_some() {
            self.all.push(what());
        }
        Ok(())
    }
}

fn judge(role: Role, lacks: &[String], is_useless: bool, examination: &Examination<'_>) -> Finding {
    let Examination { doctor, settings, inspection, .. } = examination;
    let user = inspection.user();
    if lacks.is_empty() {
        return Finding::ok(role.check(), format!("user `{user}` may {}", role.does()));
    }
    let found = format!("user `{user}` may not {}", lacks.join(", nor "));
    let is_meant = doctor.role == Some(role);
    let finding = if is_meant || (is_useless && doctor.role.is_none()) {
        Finding::error(role.check(), Exit::Broker, found)
    } else {
        Finding::note(role.check(), found)
    };
    let [configure, write, read] = role.rights(doctor.service.as_deref(), settings.exchange());
    let advice = format!(
        "to permit this and nothing else, in place of what it may now: `rabbitmqctl set_permissions -p {} {} '{configure}' \
         '{write}' '{read}'`",
        argument(inspection.vhost()),
        argument(user)
    );
    finding.means(format!("it cannot {}", role.does())).advise(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the guide for a service of this name.
    #[test]
    fn the_advice_is_what_the_guide_says() {
        let guide = include_str!("../../../../guirpc/src/reliability.md").replace("\\|", "|");
        for (role, row) in
            [(Role::Caller, "| caller |"), (Role::Server, "| server |"), (Role::Operator, "| operator |")]
        {
            let row = guide.lines().find(|line| line.starts_with(row)).unwrap();
            let rights = role.rights(Some("math"), "guirpc").map(|right| format!("'{right}'")).join(" ");
            assert!(row.contains(&format!("set_permissions -p VHOST USER {rights}`")), "{row} has not {rights}");
        }
        assert_eq!(escaped("a.b-c+d"), r"a\.b-c\+d");
    }
}

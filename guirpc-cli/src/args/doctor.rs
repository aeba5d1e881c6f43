//! `guirpc doctor`: what can be typed.

use std::fmt;

use clap::ValueEnum;

use super::Broker;

#[derive(clap::Args)]
pub(crate) struct Doctor {
    /// The service to look at as well; with `--management` all services of the virtual host if none is named
    pub(crate) service: Option<String>,
    /// What the user of the broker is for: rights that it lacks for this are errors [default: what it may not do is noted]
    #[arg(long = "as", value_enum, value_name = "ROLE")]
    pub(crate) role: Option<Role>,
    /// How long the longest function takes, such as `45min`, to be compared with the broker's consumer timeout
    #[arg(long, value_name = "TIME")]
    pub(crate) longest: Option<humantime::Duration>,
    /// The broker's management API, as `http://host:15672`; user and password are those of the broker's URI unless
    /// this one has its own
    #[arg(long, value_name = "URL")]
    pub(crate) management: Option<String>,
    /// Print one object in JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) broker: Broker,
}

/// What a user of the broker is for, as the guide on reliability lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Calls functions
    Caller,
    /// Serves them
    Server,
    /// Looks at dead letters, and requeues them
    Operator,
}

/// Without the URL, which may hold a password.
impl fmt::Debug for Doctor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doctor").field("service", &self.service).finish_non_exhaustive()
    }
}

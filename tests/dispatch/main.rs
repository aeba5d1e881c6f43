//! The dispatcher, in process: whatever a request holds, there is a reply, and the right one.

mod anything;
mod corpus;
mod functions;
mod outcomes;
mod round_trips;
mod service;
mod unknown_arguments;

//! One of two services, in a process of its own.

mod functions;

guirpc::main!(services = ["front"], |setup| {
    let client = setup.client()?;
    Ok(setup.state(client))
});

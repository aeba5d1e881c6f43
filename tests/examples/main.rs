//! The examples, run as their first lines say: what they print and what they draw.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, ensure};
use harness::{Broker, Case, Program, binary};
use tempfile::TempDir;

mod operating;
mod readme;

const LONG: Duration = Duration::from_mins(1);

fn main() -> ExitCode {
    let cases = [
        Case::shared("hello::answers_the_command", hello_answers_the_command),
        Case::shared("accounts::the_client_moves_money", the_client_moves_money),
        Case::shared("mandelbrot::two_servers_draw_the_picture", two_servers_draw_the_picture),
        Case::shared("mandelbrot::without_a_server_nothing_is_written", without_a_server_nothing_is_written),
    ];
    harness::main(cases.into_iter().chain(readme::cases()).chain(operating::cases()))
}

/// Starts the server of an example and waits until it serves.
fn serve(name: &str, broker: &dyn Broker) -> anyhow::Result<Program> {
    let program = Program::start(Command::new(binary(name)?).env("AMQP_URI", broker.uri()))?;
    program.wait_for_log("serving", LONG)?;
    Ok(program)
}

/// Runs a program to its good end; gives the lines that it printed.
fn run(name: &str, arguments: &[&str], broker: &dyn Broker) -> anyhow::Result<Vec<String>> {
    let output = Command::new(binary(name)?).args(arguments).env("AMQP_URI", broker.uri()).output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} ended with {}\n{log}", output.status);
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

fn hello_answers_the_command(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut hello = serve("hello", broker)?;
    let sum = run("guirpc", &["call", "hello", "add", r#"{"a": 1, "b": 2}"#], broker)?;
    ensure!(sum == ["3"], "{sum:?}");
    let greeting = run("guirpc", &["call", "hello", "greet", r#"{"name": "Ada"}"#], broker)?;
    ensure!(greeting == [r#""Hello Ada!""#], "{greeting:?}");
    hello.terminate()?;
    ensure!(hello.wait(LONG)?.success(), "hello does not end well");
    Ok(())
}

fn the_client_moves_money(broker: &dyn Broker) -> anyhow::Result<()> {
    let _accounts = serve("accounts", broker)?;
    let moved = ["moved 30 cents for rent", "refused: 930 cents are lacking"];
    let first = run("accounts-client", &[], broker)?;
    ensure!(first[..2] == ["opened the account of ada: status 201", "opened the account of bob: status 201"]);
    ensure!(first[2..4] == moved, "{first:?}");
    ensure!(first[4..] == ["ada has 70 cents", "bob has 30 cents"], "{first:?}");
    // The state lives in the server, so a second client finds what the first one left.
    let second = run("accounts-client", &[], broker)?;
    ensure!(second[..2] == ["ada has an account already", "bob has an account already"], "{second:?}");
    ensure!(second[4..] == ["ada has 40 cents", "bob has 60 cents"], "{second:?}");
    Ok(())
}

fn two_servers_draw_the_picture(broker: &dyn Broker) -> anyhow::Result<()> {
    let _servers = [serve("server", broker)?, serve("server", broker)?];
    let folder = TempDir::new()?;
    let draw = |name: &str, tile: &str| {
        let path = folder.path().join(name);
        let place = path.to_str().context("a temporary folder has a plain name")?;
        run("client", &[place, "--width", "300", "--height", "240", "--tile", tile], broker)?;
        decode(&path)
    };
    // No divisor of either edge, so that the tiles at the right and at the bottom are smaller.
    let picture = draw("tiles.png", "64")?;
    ensure!((picture[0].len(), picture.len()) == (300, 240), "{} x {}", picture[0].len(), picture.len());
    ensure!(draw("whole.png", "300")? == picture, "it makes a difference how the picture is cut");
    // A pixel is 0.01 wide; the real axis is row 120, the imaginary one column 220.
    for (row, column) in [(120, 220), (120, 120), (120, 240), (45, 208), (170, 170)] {
        ensure!(picture[row][column] == [0, 0, 0], "row {row}, column {column} is in the set");
    }
    for (row, column) in [(0, 0), (0, 299), (239, 0), (239, 299), (120, 270)] {
        ensure!(picture[row][column] != [0, 0, 0], "row {row}, column {column} is not in the set");
    }
    Ok(())
}

fn without_a_server_nothing_is_written(broker: &dyn Broker) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let path = folder.path().join("picture.png");
    let output = Command::new(binary("client")?).arg(&path).env("AMQP_URI", broker.uri()).output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success() && log.contains("service `mandelbrot`"), "{log}");
    ensure!(!path.exists(), "a picture was written");
    Ok(())
}

/// The red, green and blue of a picture's pixels, by row and column.
fn decode(path: &Path) -> anyhow::Result<Vec<Vec<[u8; 3]>>> {
    let mut reader = png::Decoder::new(BufReader::new(File::open(path)?)).read_info()?;
    let mut bytes = vec![0; reader.output_buffer_size().context("it fits into memory")?];
    let info = reader.next_frame(&mut bytes)?;
    ensure!((info.color_type, info.bit_depth) == (png::ColorType::Rgb, png::BitDepth::Eight));
    let (pixels, _) = bytes.as_chunks::<3>();
    Ok(pixels.chunks(usize::try_from(info.width)?).map(<[[u8; 3]]>::to_vec).collect())
}

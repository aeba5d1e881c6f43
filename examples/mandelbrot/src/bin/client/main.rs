//! Draws a picture with all servers: `cargo run --release -p mandelbrot --bin client -- picture.png --width 800`.

use std::collections::VecDeque;
use std::num::NonZeroU16;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use guirpc::Client;
use indicatif::ProgressBar;
use mandelbrot::{View, render};

mod picture;

use picture::Picture;

/// Draws the Mandelbrot set: cuts it into tiles, which the servers share.
#[derive(Parser)]
struct Args {
    /// The PNG file to write
    picture: PathBuf,
    /// Its width in pixels
    #[arg(long, default_value = "1200")]
    width: NonZeroU16,
    /// Its height in pixels
    #[arg(long, default_value = "900")]
    height: NonZeroU16,
    /// The edge of a tile in pixels
    #[arg(long, default_value = "64")]
    tile: NonZeroU16,
    /// How many tiles may be under way at once; several for each worker keep all of them busy
    #[arg(long, default_value = "32")]
    in_flight: NonZeroU16,
    /// How long a tile may take, its turn included
    #[arg(long, default_value = "10s")]
    timeout: humantime::Duration,
    /// How often a tile may be asked for again, over the whole picture
    #[arg(long, default_value_t = 100)]
    retries: usize,
    /// The broker
    #[arg(long, env = "AMQP_URI", hide_env_values = true, default_value = "amqp://guest:guest@localhost:5672/%2f")]
    uri: String,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let client = Client::connect(&args.uri)?.with_timeout(args.timeout.into());
    let picture = draw(&client, &args)?;
    picture.write_png(&args.picture).with_context(|| format!("cannot write {}", args.picture.display()))
}

fn draw(client: &Client, args: &Args) -> anyhow::Result<Picture> {
    let view = View::whole(args.width.get(), args.height.get());
    let mut picture = Picture::black(view.width, view.height);
    let mut tiles = VecDeque::from(view.tiles(args.tile.get()));
    let mut under_way = VecDeque::new();
    let mut retries = args.retries;
    let progress = ProgressBar::new(tiles.len() as u64);
    loop {
        while under_way.len() < usize::from(args.in_flight.get())
            && let Some(tile) = tiles.pop_front()
        {
            under_way.push_back((tile, render::start(client, view, tile)?));
        }
        // The oldest one: the others go on meanwhile.
        let Some((tile, call)) = under_way.pop_front() else { break };
        match call.wait() {
            Ok(colours) => {
                picture.paste(tile, &colours)?;
                progress.inc(1);
            }
            Err(error) if error.is_retryable() && retries > 0 => {
                retries -= 1;
                tiles.push_back(tile);
            }
            Err(error) => return Err(error).context("a tile is missing"),
        }
    }
    progress.finish();
    Ok(picture)
}

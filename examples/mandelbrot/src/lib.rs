//! The Mandelbrot set, tile by tile: what the server computes, and what both sides must know.

use guirpc::Fault;
use serde::{Deserialize, Serialize};

/// A picture as a piece of the complex plane.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct View {
    /// Its width in pixels.
    pub width: u16,
    /// Its height in pixels.
    pub height: u16,
    /// The real part at its left edge.
    pub left: f64,
    /// The imaginary part at its upper edge.
    pub top: f64,
    /// The width and the height of a pixel in the plane.
    pub step: f64,
}

/// A rectangle of a picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tile {
    /// Where it begins.
    pub left: u16,
    /// Where it begins.
    pub top: u16,
    /// How wide it is.
    pub width: u16,
    /// How high it is.
    pub height: u16,
}

/// The colours outside of the set, by how soon a point leaves; inside it is black.
const PALETTE: [[u8; 3]; 8] = [
    [0x0b, 0x13, 0x2b],
    [0x1c, 0x25, 0x41],
    [0x3a, 0x50, 0x6b],
    [0x5b, 0xc0, 0xbe],
    [0xe0, 0xfb, 0xfc],
    [0xff, 0xd1, 0x66],
    [0xf7, 0x7f, 0x00],
    [0x9d, 0x02, 0x08],
];
const INSIDE: [u8; 3] = [0, 0, 0];
/// A point that has not left after so many steps counts as inside.
const STEPS: usize = 512;
/// The largest tile that is computed, so that no caller can keep a worker for good.
const MAX_PIXELS: u32 = 512 * 512;

/// Computes a tile: red, green and blue of each pixel, row by row.
#[guirpc::function(idempotent)]
pub fn render(view: View, tile: Tile) -> Result<Vec<u8>, Fault> {
    let pixels = u32::from(tile.width) * u32::from(tile.height);
    if pixels > MAX_PIXELS {
        return Err(Fault::new(413, format!("a tile of {pixels} pixels is too large, {MAX_PIXELS} is the limit")));
    }
    let mut colours = Vec::new();
    for row in 0..tile.height {
        let imaginary = view.top - (f64::from(tile.top) + f64::from(row)) * view.step;
        for column in 0..tile.width {
            let real = view.left + (f64::from(tile.left) + f64::from(column)) * view.step;
            colours.extend(colour(real, imaginary));
        }
    }
    Ok(colours)
}

fn colour(real: f64, imaginary: f64) -> [u8; 3] {
    let (mut x, mut y) = (0.0, 0.0);
    for step in 0..STEPS {
        let (xx, yy) = (x * x, y * y);
        if xx + yy > 4.0 {
            return PALETTE[step % PALETTE.len()];
        }
        (x, y) = (xx - yy + real, 2.0 * x * y + imaginary);
    }
    INSIDE
}

impl View {
    /// The whole set, in the middle of a picture of this size.
    pub fn whole(width: u16, height: u16) -> Self {
        let step = f64::max(3.0 / f64::from(width), 2.4 / f64::from(height));
        let left = -0.7 - step * f64::from(width) / 2.0;
        View { width, height, left, top: step * f64::from(height) / 2.0, step }
    }

    /// Tiles of at most this edge that cover the picture, each pixel once.
    pub fn tiles(&self, edge: u16) -> Vec<Tile> {
        let View { width, height, .. } = *self;
        let starts = |end: u16| (0..end).step_by(usize::from(edge));
        let row = |top| starts(width).map(move |left| (left, top));
        let tile = |(left, top)| Tile { left, top, width: edge.min(width - left), height: edge.min(height - top) };
        starts(height).flat_map(row).map(tile).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_is_inside_and_a_far_point_is_not() {
        assert_eq!(colour(0.0, 0.0), INSIDE);
        assert_eq!(colour(-1.0, 0.0), INSIDE);
        assert_eq!(colour(3.0, 3.0), PALETTE[1]);
    }

    #[test]
    fn tiles_cover_each_pixel_once() {
        let mut covered = [[0; 10]; 7];
        for tile in View::whole(10, 7).tiles(4) {
            for row in &mut covered[usize::from(tile.top)..][..usize::from(tile.height)] {
                row[usize::from(tile.left)..][..usize::from(tile.width)].iter_mut().for_each(|count| *count += 1);
            }
        }
        assert_eq!(covered, [[1; 10]; 7]);
    }

    #[test]
    fn a_tile_has_three_bytes_for_each_pixel_unless_it_is_too_large() {
        let view = View::whole(1000, 1000);
        let tile = Tile { left: 0, top: 0, width: 7, height: 5 };
        assert_eq!(render(view, tile).unwrap().len(), 3 * 7 * 5);
        assert_eq!(render(view, Tile { width: 1000, height: 1000, ..tile }).unwrap_err().status(), 413);
    }
}

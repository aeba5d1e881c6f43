//! A picture in memory, and as a PNG file.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::ensure;
use mandelbrot::Tile;

/// Red, green and blue of a pixel.
const DEPTH: usize = 3;

pub(crate) struct Picture {
    width: u16,
    height: u16,
    colours: Vec<u8>,
}

impl Picture {
    pub(crate) fn black(width: u16, height: u16) -> Self {
        Picture { width, height, colours: vec![0; usize::from(width) * usize::from(height) * DEPTH] }
    }

    /// Puts the colours of a tile where they belong.
    pub(crate) fn paste(&mut self, tile: Tile, colours: &[u8]) -> anyhow::Result<()> {
        let [left, top, width, height] = [tile.left, tile.top, tile.width, tile.height].map(usize::from);
        ensure!(colours.len() == width * height * DEPTH, "a tile came with {} bytes", colours.len());
        let rows = self.colours.chunks_exact_mut(usize::from(self.width) * DEPTH).skip(top);
        for (row, colours) in rows.zip(colours.chunks_exact(width * DEPTH)) {
            row[left * DEPTH..][..width * DEPTH].copy_from_slice(colours);
        }
        Ok(())
    }

    pub(crate) fn write_png(&self, path: &Path) -> anyhow::Result<()> {
        let file = BufWriter::new(File::create(path)?);
        let mut encoder = png::Encoder::new(file, self.width.into(), self.height.into());
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.colours)?;
        Ok(writer.finish()?)
    }
}

//! One size of the search's pyramid: the picture scaled down, and the sums over its rectangles.
//! In: grey bytes. Out: integral images of values and squares, laid out so that the windows the search
//! visits lie side by side.

/// The integral images of one scaled picture. Its buffers are kept from picture to picture.
///
/// Entry (column, row) of an integral image is the sum over all pixels left of and above it, so there is one
/// column and one row more than pixels. Where the search visits every second window of a row, a row holds its
/// even columns first and its odd ones after them: windows that are visited one after the other then lie side
/// by side for every corner of every rectangle.
#[derive(Debug, Default)]
pub(super) struct Layer {
    shrunk: Vec<u8>,
    taps: Vec<Tap>,
    blended: Vec<u16>,
    row: Vec<[i32; 2]>,
    /// Sums of values, rows of [`ColumnLayout::stride`], wrapping around at 32 bits as OpenCV's.
    pub(super) sums: Vec<i32>,
    /// Sums of squared values, likewise.
    pub(super) squares: Vec<i32>,
}

/// How the columns of an integral image lie in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ColumnLayout {
    /// From one row to the next.
    pub(super) stride: usize,
    /// Windows are visited at multiples of this many pixels, 1 or 2.
    pub(super) step: usize,
}

impl ColumnLayout {
    /// Where the entry (column, row) lies relative to an entry in a column that is a multiple of the step.
    pub(super) fn offset(&self, column: usize, row: usize) -> usize {
        row * self.stride + (column % self.step) * (self.stride / self.step) + column / self.step
    }
}

/// Where a scaled pixel comes from, along one axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
    /// The first of two neighbours.
    pub(super) at: usize,
    /// The second one; the first again at the last pixel.
    pub(super) next: usize,
    /// Weight of the second one, of 256.
    pub(super) weight: u16,
}

/// Where `to` pixels come from among `from`, as OpenCV's `INTER_LINEAR_EXACT` places and rounds them.
pub(super) fn taps(from: usize, to: usize, taps: &mut Vec<Tap>) {
    // 1 / (to / from) and not from / to: the two can differ in their last bit.
    let scale = 1.0 / (to as f64 / from as f64);
    taps.clear();
    taps.extend((0..to).map(|idx| {
        let place = scale * (idx as f64 + 0.5) - 0.5;
        let at = (place.floor().max(0.0) as usize).min(from - 1);
        let is_inside = place >= 0.0 && at + 1 < from;
        let weight = if is_inside { ((place - at as f64) * 256.0).round_ties_even() as u16 } else { 0 };
        Tap { at, next: (at + 1).min(from - 1), weight }
    }));
}

/// A grey picture, row after row, without gaps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gray<'a> {
    pub(super) pixels: &'a [u8],
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Layer {
    /// Scales the picture and sums it up. `columns.stride` is at least `width + 1`, or one more where the
    /// step is 2; `padding` entries after the last row can be read, and mean nothing.
    #[inline(always)]
    pub(super) fn fill(
        &mut self,
        gray: Gray<'_>,
        (width, height): (usize, usize),
        columns: ColumnLayout,
        padding: usize,
    ) {
        let entries = columns.stride * (height + 1) + padding;
        // What is left from an earlier picture is overwritten, or is padding.
        self.sums.resize(entries.max(self.sums.len()), 0);
        self.squares.resize(entries.max(self.squares.len()), 0);
        self.sums[..columns.stride].fill(0);
        self.squares[..columns.stride].fill(0);
        self.row.resize(width.next_multiple_of(2) + 2, [0; 2]);
        if (width, height) == (gray.width, gray.height) {
            for (row, pixels) in gray.pixels.chunks_exact(width).enumerate() {
                self.add_row(row, pixels, columns);
            }
            return;
        }
        let mut shrunk = std::mem::take(&mut self.shrunk);
        let mut across = std::mem::take(&mut self.taps);
        let mut blended = std::mem::take(&mut self.blended);
        shrunk.resize(width, 0);
        blended.resize(gray.width, 0);
        taps(gray.width, width, &mut across);
        let mut down = Vec::new();
        taps(gray.height, height, &mut down);
        for (row, tap) in down.iter().enumerate() {
            scale_row(gray, *tap, &across, &mut blended, &mut shrunk);
            self.add_row(row, &shrunk, columns);
        }
        (self.shrunk, self.taps, self.blended) = (shrunk, across, blended);
    }

    #[inline(always)]
    fn add_row(&mut self, row: usize, pixels: &[u8], columns: ColumnLayout) {
        let (mut sum, mut square) = (0_i32, 0_i32);
        let entries = &mut self.row[..pixels.len() + 1];
        for (entry, &pixel) in entries[1..].iter_mut().zip(pixels) {
            sum += i32::from(pixel);
            square = square.wrapping_add(i32::from(pixel) * i32::from(pixel));
            *entry = [sum, square];
        }
        let at = row * columns.stride;
        let (above, here) = self.sums[at..at + 2 * columns.stride].split_at_mut(columns.stride);
        let (above_squares, here_squares) =
            self.squares[at..at + 2 * columns.stride].split_at_mut(columns.stride);
        if columns.step == 1 {
            add_above(above, here, &self.row[..pixels.len() + 1], |entry| entry[0]);
            add_above(above_squares, here_squares, &self.row[..pixels.len() + 1], |entry| entry[1]);
            return;
        }
        let half = columns.stride / 2;
        let n_pairs = pixels.len() / 2 + 1;
        let pairs = self.row[..2 * n_pairs].as_chunks::<2>().0;
        add_above(above, here, pairs, |pair| pair[0][0]);
        add_above(&above[half..], &mut here[half..], pairs, |pair| pair[1][0]);
        add_above(above_squares, here_squares, pairs, |pair| pair[0][1]);
        add_above(&above_squares[half..], &mut here_squares[half..], pairs, |pair| pair[1][1]);
    }
}

#[inline(always)]
fn add_above<T>(above: &[i32], here: &mut [i32], row: &[T], value: impl Fn(&T) -> i32) {
    for ((here, above), entry) in here.iter_mut().zip(above).zip(row) {
        *here = above.wrapping_add(value(entry));
    }
}

/// One row of the scaled picture: first down, then across, which is exact in whole numbers either way.
#[inline(always)]
pub(super) fn scale_row(gray: Gray<'_>, down: Tap, across: &[Tap], blended: &mut [u16], scaled: &mut [u8]) {
    let upper = &gray.pixels[down.at * gray.width..][..gray.width];
    let lower = &gray.pixels[down.next * gray.width..][..gray.width];
    for ((blended, &upper), &lower) in blended.iter_mut().zip(upper).zip(lower) {
        *blended = u16::from(upper) * (256 - down.weight) + u16::from(lower) * down.weight;
    }
    for (scaled, tap) in scaled.iter_mut().zip(across) {
        let (left, right) = (u32::from(blended[tap.at]), u32::from(blended[tap.next]));
        let weight = u32::from(tap.weight);
        *scaled = ((left * (256 - weight) + right * weight + (1 << 15)) >> 16) as u8;
    }
}

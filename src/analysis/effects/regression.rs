//! Ordinary least squares with an intercept for each stratum.

use std::collections::HashMap;

/// Coefficients, and what is needed for their covariance.
#[derive(Debug)]
pub struct Regression {
    /// One per column; `None` for a column that is determined by others.
    coefficients: Vec<Option<f64>>,
    /// Inverse of the matrix of the columns' products, row by row; zeros for missing coefficients.
    inverse: Vec<Vec<f64>>,
    /// Residual variance.
    variance: f64,
    /// Degrees of freedom: number of values minus numbers of strata and coefficients.
    pub degrees: f64,
}

impl Regression {
    /// A weighted sum of the coefficients, and its standard error; `None` if it contains an unknown
    /// coefficient.
    pub fn combination(&self, weights: &[f64]) -> Option<(f64, f64)> {
        let mut sum = 0.0;
        let mut variance = 0.0;
        for (row, weight) in weights
            .iter()
            .enumerate()
            .filter(|(_, weight)| **weight != 0.0)
        {
            sum += weight * self.coefficients[row]?;
            let products = self.inverse[row].iter().zip(weights);
            variance += weight * products.map(|(one, other)| one * other).sum::<f64>();
        }
        Some((sum, (variance * self.variance).max(0.0).sqrt()))
    }
}

/// Fit `values` by the columns of `rows` (`width` of them), with an intercept for each of `strata`;
/// `None` if no degree of freedom is left.
pub fn fit<S: std::hash::Hash + Eq>(
    strata: &[S],
    rows: &[Vec<f64>],
    values: &[f64],
    width: usize,
) -> Option<Regression> {
    let centred = centred(strata, rows, values, width);
    let mut system = System::of(&centred.rows, &centred.values, width);
    let rank = system.eliminate();
    let degrees = values.len() as f64 - centred.strata as f64 - rank as f64;
    if rank == 0 || degrees < 1.0 {
        return None;
    }
    let (coefficients, inverse) = (system.coefficients(), system.inverse());
    let residual = |(row, value): (&Vec<f64>, &f64)| {
        let fitted = row.iter().zip(&coefficients);
        let fitted: f64 = fitted
            .map(|(x, coefficient)| x * coefficient.unwrap_or(0.0))
            .sum();
        (value - fitted).powi(2)
    };
    let squares: f64 = centred.rows.iter().zip(&centred.values).map(residual).sum();
    Some(Regression {
        coefficients,
        inverse,
        variance: squares / degrees,
        degrees,
    })
}

/// Rows and values minus the means of their stratum, which eliminates the intercepts.
struct Centred {
    rows: Vec<Vec<f64>>,
    values: Vec<f64>,
    strata: usize,
}

fn centred<S: std::hash::Hash + Eq>(
    strata: &[S],
    rows: &[Vec<f64>],
    values: &[f64],
    width: usize,
) -> Centred {
    let mut sums: HashMap<&S, (f64, Vec<f64>, f64)> = HashMap::new();
    for ((stratum, row), value) in strata.iter().zip(rows).zip(values) {
        let (count, of_rows, of_values) = sums
            .entry(stratum)
            .or_insert_with(|| (0.0, vec![0.0; width], 0.0));
        *count += 1.0;
        *of_values += value;
        of_rows.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
    let centre = |((stratum, row), value): ((&S, &Vec<f64>), &f64)| {
        let (count, of_rows, of_values) = &sums[stratum];
        let row = row.iter().zip(of_rows).map(|(x, sum)| x - sum / count);
        (row.collect(), value - of_values / count)
    };
    let (rows, values) = strata.iter().zip(rows).zip(values).map(centre).unzip();
    Centred {
        rows,
        values,
        strata: sums.len(),
    }
}

/// The normal equations beside the unit matrix, during elimination.
struct System {
    /// Products of the columns, products with the values, and what becomes the inverse.
    rows: Vec<Vec<f64>>,
    width: usize,
    /// Columns that are determined by previous ones.
    determined: Vec<bool>,
}

impl System {
    fn of(rows: &[Vec<f64>], values: &[f64], width: usize) -> System {
        let mut system = vec![vec![0.0; 2 * width + 1]; width];
        for (row, value) in rows.iter().zip(values) {
            for (line, x) in system.iter_mut().zip(row).filter(|(_, x)| **x != 0.0) {
                line.iter_mut().zip(row).for_each(|(sum, y)| *sum += x * y);
                line[width] += x * value;
            }
        }
        for (place, line) in system.iter_mut().enumerate() {
            line[width + 1 + place] = 1.0;
        }
        System {
            rows: system,
            width,
            determined: vec![false; width],
        }
    }

    /// Gauss-Jordan elimination, column by column; a column that is determined by previous ones is
    /// left out. Returns the rank.
    fn eliminate(&mut self) -> usize {
        let scale: Vec<f64> = (0..self.width)
            .map(|place| self.rows[place][place])
            .collect();
        for pivot in 0..self.width {
            let size = self.rows[pivot][pivot];
            if size <= 1e-9 * scale[pivot] || size <= f64::MIN_POSITIVE {
                self.determined[pivot] = true;
                continue;
            }
            self.rows[pivot].iter_mut().for_each(|x| *x /= size);
            let line = self.rows[pivot].clone();
            for (other, row) in self.rows.iter_mut().enumerate() {
                let factor = row[pivot];
                if other != pivot && factor != 0.0 {
                    row.iter_mut()
                        .zip(&line)
                        .for_each(|(x, y)| *x -= factor * y);
                }
            }
        }
        self.determined
            .iter()
            .filter(|determined| !**determined)
            .count()
    }

    /// The coefficients; `None` for a column that was left out, and for those it could replace.
    fn coefficients(&self) -> Vec<Option<f64>> {
        let known = |place: usize| {
            let stands_for =
                |other: usize| self.determined[other] && self.rows[place][other].abs() > 1e-7;
            !self.determined[place] && !(0..self.width).any(stands_for)
        };
        (0..self.width)
            .map(|place| known(place).then(|| self.rows[place][self.width]))
            .collect()
    }

    fn inverse(&self) -> Vec<Vec<f64>> {
        let entry =
            |row: usize, column: usize| match self.determined[row] || self.determined[column] {
                true => 0.0,
                false => self.rows[row][self.width + 1 + column],
            };
        (0..self.width)
            .map(|row| (0..self.width).map(|column| entry(row, column)).collect())
            .collect()
    }
}

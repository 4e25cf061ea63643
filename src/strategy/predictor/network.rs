//! A small regression network in plain Rust: binary features, two hidden layers, one output, Adam.
//!
//! It is so small that libtorch's overhead per operation would exceed the time for the arithmetic,
//! and without libtorch it is available everywhere. Single precision; every sum is computed in a
//! fixed order, so the same seed gives the same network.

use rand::Rng;

/// Decay of Adam's first and second moments, and its smallest denominator (PyTorch's defaults).
const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// Units of each hidden layer.
const HIDDEN: usize = 16;

/// A value for each unit of a hidden layer; the size is fixed so that loops over it are unrolled.
type Row = [f32; HIDDEN];

/// A network with `inputs` binary features, two hidden layers of rectified units, and one output.
#[derive(Debug, Clone)]
pub struct RegressionNetwork {
    /// One row per input, the first bias, one row per first hidden unit, the second bias, the output
    /// weights; then a row that starts with the output bias.
    weights: Vec<Row>,
    inputs: usize,
}

/// How a network is fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitSettings {
    /// Passes over the samples.
    pub epochs: usize,
    /// Number of samples per step.
    pub batch: usize,
    /// Learning rate of the first step; it falls linearly to 0.
    pub learning_rate: f32,
}

/// Activations of the two hidden layers for one sample.
type Activations = [Row; 2];

impl RegressionNetwork {
    /// Uniform weights as in He et al. (2015), for inputs of which `active` are on at a time, with
    /// those of the output centred at 0 too; biases are 0.
    pub fn new(inputs: usize, active: usize, random: &mut impl Rng) -> RegressionNetwork {
        let mut weights = vec![[0.0; HIDDEN]; inputs + HIDDEN + 4];
        let mut uniform = |rows: &mut [Row], fan_in: usize| {
            let range = (6.0 / fan_in.max(1) as f32).sqrt();
            for weight in rows.as_flattened_mut() {
                *weight = range * (2.0 * random.random::<f32>() - 1.0);
            }
        };
        uniform(&mut weights[..inputs], active);
        uniform(&mut weights[inputs + 1..][..HIDDEN], HIDDEN);
        uniform(&mut weights[inputs + HIDDEN + 2..][..1], 6 * HIDDEN);
        RegressionNetwork { weights, inputs }
    }

    /// The output for a sample in which these features are on.
    pub fn predict(&self, features: &[u32]) -> f32 {
        self.forward(features).0
    }

    /// Minimise the mean squared error over the samples.
    pub fn fit(
        &mut self,
        samples: &[Vec<u32>],
        targets: &[f32],
        fit: FitSettings,
        random: &mut impl Rng,
    ) {
        let mut order: Vec<usize> = (0..samples.len()).collect();
        let batches = samples.len().div_ceil(fit.batch.max(1));
        let steps = (fit.epochs * batches) as f32;
        let mut adam = PlainAdam::new(self.weights.len());
        let mut gradient = vec![[0.0; HIDDEN]; self.weights.len()];
        for _ in 0..fit.epochs {
            shuffle(&mut order, random);
            for batch in order.chunks(fit.batch.max(1)) {
                gradient.fill([0.0; HIDDEN]);
                for &index in batch {
                    let (output, activations) = self.forward(&samples[index]);
                    let error = 2.0 * (output - targets[index]) / batch.len() as f32;
                    self.backward(&samples[index], &activations, error, &mut gradient);
                }
                let rate = fit.learning_rate * (1.0 - adam.steps as f32 / steps);
                adam.step(&mut self.weights, &gradient, rate);
            }
        }
    }

    /// Places of the rows after those of the inputs: first bias, start of the second layer, second
    /// bias, output weights, output bias.
    fn places(&self) -> [usize; 5] {
        let second = self.inputs + 1;
        let after = second + HIDDEN;
        [self.inputs, second, after, after + 1, after + 2]
    }

    /// The output and the activations for a sample in which these features are on.
    fn forward(&self, features: &[u32]) -> (f32, Activations) {
        let weights = &self.weights;
        let [first_bias, second, second_bias, output, output_bias] = self.places();
        let mut first = weights[first_bias];
        for &feature in features {
            add_scaled(&mut first, &weights[feature as usize], 1.0);
        }
        rectify(&mut first);
        let mut last = weights[second_bias];
        for (value, row) in first.iter().zip(&weights[second..second_bias]) {
            add_scaled(&mut last, row, *value);
        }
        rectify(&mut last);
        let result = dot(&last, &weights[output]) + weights[output_bias][0];
        (result, [first, last])
    }

    /// Add the gradient of one sample; `error` is the derivative of the loss with respect to the
    /// output.
    fn backward(
        &self,
        features: &[u32],
        [first, last]: &Activations,
        error: f32,
        gradient: &mut [Row],
    ) {
        let weights = &self.weights;
        let [first_bias, second, second_bias, output, output_bias] = self.places();
        gradient[output_bias][0] += error;
        add_scaled(&mut gradient[output], last, error);
        let mut of_last = weights[output];
        for (slope, value) in of_last.iter_mut().zip(last) {
            *slope = if *value > 0.0 { *slope * error } else { 0.0 };
        }
        add_scaled(&mut gradient[second_bias], &of_last, 1.0);
        let mut of_first = [0.0; HIDDEN];
        for (unit, &value) in first.iter().enumerate() {
            if value > 0.0 {
                of_first[unit] = dot(&weights[second + unit], &of_last);
                add_scaled(&mut gradient[second + unit], &of_last, value);
            }
        }
        add_scaled(&mut gradient[first_bias], &of_first, 1.0);
        for &feature in features {
            add_scaled(&mut gradient[feature as usize], &of_first, 1.0);
        }
    }
}

/// Adam (Kingma & Ba 2014) over plain numbers.
struct PlainAdam {
    steps: i32,
    mean: Vec<Row>,
    square: Vec<Row>,
}

impl PlainAdam {
    fn new(rows: usize) -> PlainAdam {
        PlainAdam {
            steps: 0,
            mean: vec![[0.0; HIDDEN]; rows],
            square: vec![[0.0; HIDDEN]; rows],
        }
    }

    fn step(&mut self, weights: &mut [Row], gradient: &[Row], rate: f32) {
        self.steps = self.steps.saturating_add(1);
        let scale = rate / (1.0 - BETA1.powi(self.steps));
        let correction = 1.0 / (1.0 - BETA2.powi(self.steps)).sqrt();
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((weights, slopes), (means, squares)) in weights.iter_mut().zip(gradient).zip(moments) {
            for unit in 0..HIDDEN {
                let slope = slopes[unit];
                means[unit] = means[unit] * BETA1 + slope * (1.0 - BETA1);
                squares[unit] = squares[unit] * BETA2 + slope * slope * (1.0 - BETA2);
                let denominator = squares[unit].sqrt() * correction + EPSILON;
                weights[unit] -= scale * means[unit] / denominator;
            }
        }
    }
}

fn add_scaled(into: &mut Row, values: &Row, scale: f32) {
    for (into, value) in into.iter_mut().zip(values) {
        *into += scale * value;
    }
}

fn rectify(values: &mut Row) {
    for value in values {
        *value = value.max(0.0);
    }
}

/// In four partial sums, which fit into a vector register.
fn dot(left: &Row, right: &Row) -> f32 {
    let mut sums = [0.0; 4];
    for (left, right) in left.chunks_exact(4).zip(right.chunks_exact(4)) {
        for lane in 0..4 {
            sums[lane] += left[lane] * right[lane];
        }
    }
    sums.iter().sum()
}

/// Fisher and Yates's shuffle.
fn shuffle(order: &mut [usize], random: &mut impl Rng) {
    for last in (1..order.len()).rev() {
        let pick = (random.random::<f64>() * (last + 1) as f64) as usize;
        order.swap(last, pick.min(last));
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha12Rng;

    use super::*;

    fn samples(count: usize, random: &mut impl Rng) -> (Vec<Vec<u32>>, Vec<f32>) {
        let sample = |_| (0..6).filter(|_| random.random::<f64>() < 0.5).collect();
        let samples: Vec<Vec<u32>> = (0..count).map(sample).collect();
        // Not a sum of contributions of single features.
        let target = |on: &Vec<u32>| {
            let has = |feature| if on.contains(&feature) { 1.0 } else { 0.0 };
            has(0) * has(1) - has(2) + 0.5 * has(3)
        };
        let targets = samples.iter().map(target).collect();
        (samples, targets)
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let mut random = ChaCha12Rng::seed_from_u64(1);
        let mut network = RegressionNetwork::new(6, 3, &mut random);
        let features = [0, 2, 5];
        let (_, activations) = network.forward(&features);
        let mut gradient = vec![[0.0; HIDDEN]; network.weights.len()];
        network.backward(&features, &activations, 1.0, &mut gradient);
        let gradient = gradient.as_flattened();
        assert!(gradient.iter().filter(|slope| **slope != 0.0).count() > 20);
        for (index, slope) in gradient.iter().enumerate() {
            let mut moved = |by: f32| {
                network.weights.as_flattened_mut()[index] += by;
                network.predict(&features)
            };
            let (above, below) = (moved(1e-3), moved(-2e-3));
            moved(1e-3);
            let difference = (above - below) / 2e-3;
            assert!(
                (difference - slope).abs() < 2e-3,
                "weight {index}: {slope} against {difference}"
            );
        }
    }

    #[test]
    fn a_fit_generalises_to_samples_that_it_has_not_seen() {
        let mut random = ChaCha12Rng::seed_from_u64(2);
        let (seen, targets) = samples(200, &mut random);
        let mut network = RegressionNetwork::new(6, 3, &mut random);
        let fit = FitSettings {
            epochs: 60,
            batch: 16,
            learning_rate: 0.02,
        };
        network.fit(&seen, &targets, fit, &mut random);
        let (others, targets) = samples(100, &mut random);
        let error = |(on, target): (&Vec<u32>, &f32)| (network.predict(on) - target).abs();
        let worst = others.iter().zip(&targets).map(error).fold(0.0, f32::max);
        assert!(worst < 0.25, "{worst}");
    }

    #[test]
    fn the_same_seed_gives_the_same_network() {
        let fitted = || {
            let mut random = ChaCha12Rng::seed_from_u64(3);
            let (seen, targets) = samples(50, &mut random);
            let mut network = RegressionNetwork::new(6, 3, &mut random);
            let fit = FitSettings {
                epochs: 5,
                batch: 16,
                learning_rate: 0.02,
            };
            network.fit(&seen, &targets, fit, &mut random);
            network.weights
        };
        assert_eq!(fitted(), fitted());
    }
}

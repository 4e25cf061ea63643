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

/// A network with `inputs` binary features, two hidden layers of `hidden` rectified units, and one
/// output.
#[derive(Debug, Clone)]
pub struct RegressionNetwork {
    hidden: usize,
    /// Rows of `hidden` values: one per input, the first bias, one per first hidden unit, the
    /// second bias, the output weights; then the output bias.
    weights: Vec<f32>,
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

/// Activations of one sample.
struct Activations {
    first: Vec<f32>,
    second: Vec<f32>,
}

impl RegressionNetwork {
    /// Uniform weights as in He et al. (2015), for inputs of which `active` are on at a time, with
    /// those of the output centred at 0 too; biases are 0.
    pub fn new(
        inputs: usize,
        active: usize,
        hidden: usize,
        random: &mut impl Rng,
    ) -> RegressionNetwork {
        let mut weights = Vec::with_capacity((inputs + hidden + 3) * hidden + 1);
        let mut uniform = |count: usize, fan_in: usize| {
            let range = (6.0 / fan_in.max(1) as f32).sqrt();
            for _ in 0..count {
                weights.push(range * (2.0 * random.random::<f32>() - 1.0));
            }
        };
        uniform(inputs * hidden, active);
        uniform(hidden, usize::MAX);
        uniform(hidden * hidden, hidden);
        uniform(hidden, usize::MAX);
        uniform(hidden, 6 * hidden);
        uniform(1, usize::MAX);
        RegressionNetwork {
            hidden,
            weights,
            inputs,
        }
    }

    /// The output for a sample in which these features are on.
    pub fn predict(&self, features: &[u32]) -> f32 {
        let mut activations = self.activations();
        self.forward(features, &mut activations)
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
        let mut gradient = vec![0.0; self.weights.len()];
        let mut activations = self.activations();
        for _ in 0..fit.epochs {
            shuffle(&mut order, random);
            for batch in order.chunks(fit.batch.max(1)) {
                gradient.fill(0.0);
                for &index in batch {
                    let output = self.forward(&samples[index], &mut activations);
                    let error = 2.0 * (output - targets[index]) / batch.len() as f32;
                    self.backward(&samples[index], &activations, error, &mut gradient);
                }
                let rate = fit.learning_rate * (1.0 - adam.steps as f32 / steps);
                adam.step(&mut self.weights, &gradient, rate);
            }
        }
    }

    fn activations(&self) -> Activations {
        Activations {
            first: vec![0.0; self.hidden],
            second: vec![0.0; self.hidden],
        }
    }

    /// Start of each group of rows after those of the inputs: first bias, second layer, second
    /// bias, output weights, output bias.
    fn offsets(&self) -> [usize; 5] {
        let hidden = self.hidden;
        let first_bias = self.inputs * hidden;
        let second = first_bias + hidden;
        let second_bias = second + hidden * hidden;
        let output = second_bias + hidden;
        [first_bias, second, second_bias, output, output + hidden]
    }

    fn forward(&self, features: &[u32], activations: &mut Activations) -> f32 {
        let (hidden, weights) = (self.hidden, &self.weights);
        let [first_bias, second, second_bias, output, output_bias] = self.offsets();
        let Activations {
            first: a,
            second: b,
        } = activations;
        a.copy_from_slice(&weights[first_bias..second]);
        for &feature in features {
            add_scaled(a, &weights[feature as usize * hidden..][..hidden], 1.0);
        }
        rectify(a);
        b.copy_from_slice(&weights[second_bias..output]);
        for (&value, row) in a.iter().zip(weights[second..second_bias].chunks(hidden)) {
            if value > 0.0 {
                add_scaled(b, row, value);
            }
        }
        rectify(b);
        dot(b, &weights[output..output_bias]) + weights[output_bias]
    }

    /// Add the gradient of one sample; `error` is the derivative of the loss with respect to the
    /// output.
    fn backward(
        &self,
        features: &[u32],
        activations: &Activations,
        error: f32,
        gradient: &mut [f32],
    ) {
        let (hidden, weights) = (self.hidden, &self.weights);
        let [first_bias, second, second_bias, output, output_bias] = self.offsets();
        let Activations {
            first: a,
            second: b,
        } = activations;
        gradient[output_bias] += error;
        add_scaled(&mut gradient[output..output_bias], b, error);
        let to_second: Vec<f32> = b
            .iter()
            .zip(&weights[output..output_bias])
            .map(|(&value, &weight)| if value > 0.0 { weight * error } else { 0.0 })
            .collect();
        add_scaled(&mut gradient[second_bias..output], &to_second, 1.0);
        let mut to_first = vec![0.0; hidden];
        for (unit, &value) in a.iter().enumerate() {
            if value > 0.0 {
                let row = second + unit * hidden..second + (unit + 1) * hidden;
                to_first[unit] = dot(&weights[row.clone()], &to_second);
                add_scaled(&mut gradient[row], &to_second, value);
            }
        }
        add_scaled(&mut gradient[first_bias..second], &to_first, 1.0);
        for &feature in features {
            let row = &mut gradient[feature as usize * hidden..][..hidden];
            add_scaled(row, &to_first, 1.0);
        }
    }
}

/// Adam (Kingma & Ba 2014) over plain numbers.
struct PlainAdam {
    steps: i32,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl PlainAdam {
    fn new(count: usize) -> PlainAdam {
        PlainAdam {
            steps: 0,
            mean: vec![0.0; count],
            square: vec![0.0; count],
        }
    }

    fn step(&mut self, weights: &mut [f32], gradient: &[f32], rate: f32) {
        self.steps = self.steps.saturating_add(1);
        let scale = rate / (1.0 - BETA1.powi(self.steps));
        let correction = 1.0 / (1.0 - BETA2.powi(self.steps)).sqrt();
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((weight, &slope), (mean, square)) in weights.iter_mut().zip(gradient).zip(moments) {
            *mean = *mean * BETA1 + slope * (1.0 - BETA1);
            *square = *square * BETA2 + slope * slope * (1.0 - BETA2);
            *weight -= scale * *mean / (square.sqrt() * correction + EPSILON);
        }
    }
}

fn add_scaled(into: &mut [f32], values: &[f32], scale: f32) {
    for (into, value) in into.iter_mut().zip(values) {
        *into += scale * value;
    }
}

fn rectify(values: &mut [f32]) {
    for value in values {
        *value = value.max(0.0);
    }
}

fn dot(left: &[f32], right: &[f32]) -> f32 {
    left.iter()
        .zip(right)
        .map(|(left, right)| left * right)
        .sum()
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
        let mut network = RegressionNetwork::new(6, 3, 16, &mut random);
        let features = [0, 2, 5];
        let mut activations = network.activations();
        network.forward(&features, &mut activations);
        let mut gradient = vec![0.0; network.weights.len()];
        network.backward(&features, &activations, 1.0, &mut gradient);
        assert!(gradient.iter().filter(|slope| **slope != 0.0).count() > 20);
        for (index, slope) in gradient.into_iter().enumerate() {
            let mut moved = |by: f32| {
                network.weights[index] += by;
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
        let mut network = RegressionNetwork::new(6, 3, 16, &mut random);
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
            let mut network = RegressionNetwork::new(6, 3, 8, &mut random);
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

//! Human-readable numbers and times, for the screen and for reports. An accuracy is always a
//! percentage, a reward never is.

/// `84.56 %`.
pub fn accuracy(value: f64) -> String {
    format!("{:.2} %", value * 100.0)
}

/// `83.89 % to 85.01 %`: an interval of accuracies.
pub fn accuracies([low, high]: [f64; 2]) -> String {
    format!("{} to {}", accuracy(low), accuracy(high))
}

/// `+1.23 points`: a difference of accuracies, in percentage points.
pub fn points(difference: f64) -> String {
    format!("{} points", signed(difference * 100.0, 2))
}

/// `+0.40 to +2.06`: an interval of such differences.
pub fn points_interval([low, high]: [f64; 2]) -> String {
    format!("{} to {}", signed(low * 100.0, 2), signed(high * 100.0, 2))
}

/// `value` formatted by `say`, or `none`.
pub fn or_none(value: Option<f64>, say: impl FnOnce(f64) -> String) -> String {
    value.map_or_else(|| "none".to_owned(), say)
}

/// `0.6046`.
pub fn reward(value: f64) -> String {
    decimal(value, 4)
}

/// `2.3026`, `1.0112e27`.
pub fn loss(value: f64) -> String {
    decimal(value, 4)
}

/// A figure in so many decimals, or in six digits and a power of ten if it is a million or more: what has
/// diverged is as long as what has not.
pub fn decimal(value: f64, decimals: usize) -> String {
    if value.abs() >= 1e6 {
        format!("{:e}", six_digits(value))
    } else {
        format!("{value:.decimals$}")
    }
}

/// A number in all its digits, for programs: `0.25`, or `1e99` if there would be many zeros.
pub fn exact(value: f64) -> String {
    match value.to_string() {
        text if text.len() > 24 => format!("{value:e}"),
        text => text,
    }
}

/// `0.1`, `0.0761`, `2.5e-5`: a learning rate in at most three digits, or two and a power of ten (a
/// schedule may end at a rate too small for decimals).
pub fn learning_rate(rate: f64) -> String {
    if rate == 0.0 || !rate.is_finite() {
        return rate.to_string();
    }
    if !(1e-4..1e3).contains(&rate.abs()) {
        return format!("{rate:.1e}").replace(".0e", "e");
    }
    let decimals = (2.0 - rate.abs().log10().floor()).clamp(1.0, 6.0) as usize;
    format!("{rate:.decimals$}")
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

/// A number as someone wrote it, or `1e308` if it would have more than 20 digits.
pub fn short(number: &str) -> String {
    match number.parse::<f64>() {
        Ok(value) if number.len() > 20 => format!("{value:e}"),
        _ => number.to_owned(),
    }
}

/// The message of a parser (serde's) with the numbers that it quotes in [`short`] form.
pub fn short_floats(message: &str) -> String {
    const QUOTED: &str = "floating point `";
    let quoted = message.split_once(QUOTED);
    let parts = quoted.and_then(|(before, rest)| Some((before, rest.split_once('`')?)));
    match parts {
        Some((before, (number, after))) => format!("{before}{QUOTED}{}`{after}", short(number)),
        None => message.to_owned(),
    }
}

/// `value` in six significant digits: enough for any figure that is only shown, and a third of the text
/// that an exact number takes.
pub fn six_digits(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// `275,122`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 layer`, `275,122 layers`, `2 children`.
pub fn counted(number: u64, noun: &str) -> String {
    match (number, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "child") => format!("{} children", count(number)),
        _ => format!("{} {noun}s", count(number)),
    }
}

/// Three digits with a decimal prefix: `812`, `14.2 k`, `4.20 M`, `1.33 G`.
pub fn compact(value: u64) -> String {
    let (divisor, prefix) = match value {
        0..1_000 => return value.to_string(),
        1_000..1_000_000 => (1e3, "k"),
        1_000_000..1_000_000_000 => (1e6, "M"),
        1_000_000_000..1_000_000_000_000 => (1e9, "G"),
        _ => (1e12, "T"),
    };
    let scaled = value as f64 / divisor;
    let decimals = if scaled < 9.995 {
        2
    } else {
        usize::from(scaled < 99.95)
    };
    format!("{scaled:.decimals$} {prefix}")
}

/// A round value of an axis, as short as possible: `20`, `500 k`, `2 M`, `1.5 G`.
pub fn round(value: f64) -> String {
    if value >= 1e15 {
        return format!("{:e}", six_digits(value));
    }
    let prefixes = [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")];
    let (divisor, prefix) = prefixes
        .into_iter()
        .find(|(divisor, _)| value >= *divisor)
        .unwrap_or((1.0, ""));
    format!("{}{prefix}", value / divisor)
}

/// Binary gigabytes (GiB) without the unit: `12.3`.
pub fn gibibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1u32 << 30))
}

/// An amount of memory in a suitable unit: `1.5 GiB`, `320 MiB`, `12 KiB`.
pub fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes.div_ceil(1 << 10)),
        1_048_576..1_073_741_824 => format!("{} MiB", bytes >> 20),
        _ => format!("{} GiB", gibibytes(bytes)),
    }
}

/// An energy given in watt-hours, in three digits: `0.0823 Wh`, `12.3 Wh`, `1.23 kWh`.
pub fn energy(watt_hours: f64) -> String {
    let (value, unit) = if watt_hours < 999.5 {
        (watt_hours, "Wh")
    } else {
        (watt_hours / 1e3, "kWh")
    };
    let decimals = match value {
        value if value < 0.0995 => 4,
        value if value < 0.995 => 3,
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{} {unit}", decimal(value, decimals))
}

/// An energy, given in watt-hours, that grows on the screen, rounded so that its digits seldom
/// change: `0.3 Wh`, `12 Wh`, `1.23 kWh`.
pub fn coarse_energy(watt_hours: f64) -> String {
    match watt_hours {
        watt_hours if watt_hours < 9.95 => format!("{watt_hours:.1} Wh"),
        watt_hours if watt_hours < 999.5 => format!("{watt_hours:.0} Wh"),
        watt_hours => format!("{} kWh", decimal(watt_hours / 1e3, 2)),
    }
}

/// `+0.012`, `-0.3`; a value that rounds to zero has no sign.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = format!("{value:+.decimals$}");
    match text.trim_start_matches(['+', '-', '0', '.']) {
        "" => format!("{:.decimals$}", 0.0),
        _ => text,
    }
}

/// How long a training took, with a decimal if that is useful: `7.3 s`, `12:34`.
pub fn training_time(seconds: f64) -> String {
    if (0.0..59.95).contains(&seconds) {
        format!("{seconds:.1} s")
    } else {
        duration(seconds.round())
    }
}

/// `0:07`, `12:34`, `1:02:03`, `2 d 03:04`.
pub fn duration(seconds: f64) -> String {
    let seconds = if seconds.is_finite() {
        seconds.max(0.0) as u64
    } else {
        0
    };
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    if days > 0 {
        format!("{days} d {hours:02}:{minutes:02}")
    } else if hours > 0 {
        format!("{hours}:{minutes:02}:{:02}", seconds % 60)
    } else {
        format!("{minutes}:{:02}", seconds % 60)
    }
}

/// Up to how many seconds estimated times are rounded to multiples of which step; longer ones to hours.
/// From two seconds on, the nearest multiple is no more than a fifth away.
const STEPS: [(f64, f64); 6] = [
    (10.0, 1.0),
    (60.0, 5.0),
    (120.0, 10.0),
    (300.0, 30.0),
    (3_600.0, 60.0),
    (86_400.0, 600.0),
];

/// Seconds, at least one, as a multiple of their step.
fn stepped(seconds: f64, round: fn(f64) -> f64) -> u64 {
    let seconds = if seconds.is_finite() { seconds } else { 0.0 };
    let step = STEPS.iter().find(|(end, _)| seconds < *end);
    let step = step.map_or(3_600.0, |(_, step)| *step);
    (round(seconds / step) * step).max(1.0) as u64
}

/// Seconds that an [`estimate`] stands for.
pub fn estimated(seconds: f64) -> u64 {
    stepped(seconds, f64::round)
}

/// Seconds that the ends of an [`estimate_between`] stand for: rounded away from each other, so that
/// what is between the ends is between those shown.
pub fn estimated_between([low, high]: [f64; 2]) -> [u64; 2] {
    [stepped(low, f64::floor), stepped(high, f64::ceil)]
}

/// An estimated time, rounded to avoid false precision: `3 s`, `90 s`, `2.5 min`, `12 min`, `3 h 10 min`,
/// `2 d 4 h`.
pub fn estimate(seconds: f64) -> String {
    round_time(estimated(seconds))
}

fn round_time(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..3_600 => format!("{} min", seconds as f64 / 60.0),
        3_600..86_400 => format!("{hours} h {minutes:02} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// A range of estimated times: `4 to 45 min`, `50 min to 2 h 10 min`; one of them if both look alike.
pub fn estimate_between(ends: [f64; 2]) -> String {
    let [low, high] = estimated_between(ends).map(round_time);
    let simple = |text: &str| text.split(' ').count() == 2;
    match low.split_once(' ').zip(high.split_once(' ')) {
        _ if low == high => low,
        Some(((number, of_low), (_, of_high)))
            if of_low == of_high && simple(&low) && simple(&high) =>
        {
            format!("{number} to {high}")
        }
        _ => format!("{low} to {high}"),
    }
}

/// `1,3-7,9`: three or more consecutive numbers become a range.
pub fn ranges(numbers: &[u64], separator: &str) -> String {
    let runs = numbers.chunk_by(|left, right| left.checked_add(1) == Some(*right));
    let text = runs.map(|run| match run {
        [first, _, .., last] => format!("{first}-{last}"),
        _ => {
            let each: Vec<String> = run.iter().map(u64::to_string).collect();
            each.join(separator)
        }
    });
    text.collect::<Vec<_>>().join(separator)
}

/// Layer numbers as `1, 3, 6-12`; 0 is written as `image`.
pub fn layers(numbers: &[usize]) -> String {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let mut parts: Vec<String> = Vec::new();
    let mut index = 0;
    while index < sorted.len() {
        let run = sorted[index..]
            .iter()
            .enumerate()
            .take_while(|(offset, number)| **number == sorted[index] + offset)
            .count();
        // Two consecutive numbers are as short when listed; the image is always listed by itself.
        let run = if run > 2 && sorted[index] > 0 { run } else { 1 };
        parts.push(match (sorted[index], run) {
            (0, _) => "image".to_owned(),
            (first, 1) => first.to_string(),
            (first, _) => format!("{first}-{}", first + run - 1),
        });
        index += run;
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests;

use super::*;

const DOUBLE: (Kind, Device) = (Kind::Double, Device::Cpu);

fn architecture(input: [usize; 3], layer: Layer) -> Architecture {
    Architecture {
        name: "test".to_owned(),
        input,
        classes: 2,
        layers: vec![layer],
        output: vec![1],
    }
}

fn same(kernel: [usize; 2]) -> Layer {
    Layer {
        kind: Default::default(),
        kernel,
        filters: 5,
        stride: [1, 1],
        padding: kernel.map(|size| size / 2),
        inputs: vec![0],
    }
}

/// Largest difference relative to the largest value of `expected`.
fn error(actual: &Tensor, expected: &Tensor) -> f64 {
    (actual - expected).abs().max().double_value(&[]) / expected.abs().max().double_value(&[])
}

/// Images `[N, C, H, W]` as `[H, W, N, C]`.
fn planes(images: &Tensor) -> Tensor {
    images.permute([2, 3, 0, 1]).contiguous()
}

/// Convolutions of two inputs (2 and 3 channels) that keep an image's size, even and odd, with
/// uneven kernels.
fn cases() -> Vec<(Spectral, [i64; 2], [i64; 2])> {
    let sizes = [(8, 8), (7, 9), (9, 6), (1, 5)];
    let kernels = [[1, 1], [3, 3], [7, 1], [1, 7], [5, 3]];
    let cases = sizes.into_iter().flat_map(|(height, width)| {
        kernels.into_iter().filter_map(move |kernel| {
            let network = architecture([3, height, width], same(kernel));
            is_applicable(&network).then(|| {
                (
                    Spectral::new(&network, DOUBLE).unwrap(),
                    [height as i64, width as i64],
                    kernel.map(|size| size as i64),
                )
            })
        })
    });
    cases.collect()
}

#[test]
fn a_spectral_convolution_and_its_gradients_are_those_of_the_convolution() {
    tch::manual_seed(0);
    assert!(cases().len() > 12);
    for (spectral, [height, width], kernel) in cases() {
        let images = [2, 3].map(|channels| Tensor::randn([4, channels, height, width], DOUBLE));
        let images = images.map(|images| images.set_requires_grad(true));
        let weight = Tensor::randn([5, 5, kernel[0], kernel[1]], DOUBLE).set_requires_grad(true);
        let padding = kernel.map(|size| size / 2);
        let expected =
            Tensor::cat(&images, 1).conv2d(&weight, None::<&Tensor>, [1, 1], padding, [1, 1], 1);
        let sensitivity = Tensor::randn_like(&expected);
        let loss = (&expected * &sensitivity).sum(Kind::Double);
        let leaves = [&images[0], &images[1], &weight];
        let gradients = Tensor::run_backward(&[loss], &leaves, false, false);

        let _guard = tch::no_grad_guard();
        let spectra = images.map(|images| spectral.transform(&planes(&images)).unwrap());
        let inputs = [&spectra[0], &spectra[1]];
        let actual = spectral.convolve(&inputs, &weight).unwrap();
        assert!(error(&actual, &planes(&expected)) < 1e-12);
        // (Number 0 would be the image, which needs no gradient; 3 already has one.)
        let mut of_spectra = [None, None, Some(spectra[1].zeros_like())];
        let of_weight = spectral
            .convolve_gradient(
                (&[1, 2], &inputs),
                &weight,
                &planes(&sensitivity),
                &mut of_spectra,
            )
            .unwrap();
        assert!(error(&of_weight, &gradients[2]) < 1e-12);
        for (number, expected) in [(1, &gradients[0]), (2, &gradients[1])] {
            let of_spectrum = of_spectra[number].as_ref().unwrap();
            let actual = spectral.transform_gradient(of_spectrum).unwrap();
            assert!(error(&actual, &planes(expected)) < 1e-12);
        }
    }
}

#[test]
fn it_applies_only_where_every_layer_keeps_the_size() {
    assert!(is_applicable(&architecture([3, 8, 8], same([3, 5]))));
    assert!(!is_applicable(&architecture(
        [3, 8, 8],
        Layer {
            stride: [2, 1],
            ..same([3, 3])
        }
    )));
    assert!(!is_applicable(&architecture(
        [3, 8, 8],
        Layer {
            padding: [0, 1],
            ..same([3, 3])
        }
    )));
    assert!(!is_applicable(&architecture([3, 2, 8], same([5, 3]))));
}

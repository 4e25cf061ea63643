use super::*;
use crate::space::Layer;
use crate::space::spectra::are_applicable;
use tch::Device;

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
            are_applicable(&network).then(|| {
                (
                    Spectral::new(&network, Kind::Double).unwrap(),
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
        let spectra = images
            .each_ref()
            .map(|images| spectral.transform(&planes(images)).unwrap());
        let inputs = [&spectra[0], &spectra[1]];
        let actual = spectral.convolve(&inputs, &weight).unwrap();
        assert!(error(&actual, &planes(&expected)) < 1e-12);
        let result = spectral.transform(&planes(&sensitivity)).unwrap();
        let mut start = 0;
        for (spectrum, (images, expected)) in spectra.into_iter().zip(images.iter().zip(&gradients))
        {
            let channels = start..start + images.size()[1];
            start = channels.end;
            let reader = || Reader {
                gradient: &result,
                weight: &weight,
                channels: channels.clone(),
            };
            let mut kept = spectrum.copy();
            let weights = spectral.gradients(&mut kept, &[reader()], false).unwrap();
            // (Of the frequencies that are used: the others of a half spectrum are never written.)
            let [kept, before] = [&kept, &spectrum].map(|of| spectral.transform_back(of).unwrap());
            assert_eq!(kept, before);
            let of_channels = gradients[2].narrow(1, channels.start, channels.end - channels.start);
            assert!(error(&weights[0], &of_channels) < 1e-12);
            // (Read twice: twice the gradient.)
            let mut of_spectrum = spectrum;
            let readers = [reader(), reader()];
            for of_weight in spectral
                .gradients(&mut of_spectrum, &readers, true)
                .unwrap()
            {
                assert!(error(&of_weight, &of_channels) < 1e-12);
            }
            let actual = spectral.transform_back(&of_spectrum).unwrap();
            assert!(error(&actual, &planes(&(expected * 2))) < 1e-12);
        }
    }
}

#[test]
fn it_applies_only_where_every_layer_keeps_the_size() {
    assert!(are_applicable(&architecture([3, 8, 8], same([3, 5]))));
    assert!(!are_applicable(&architecture(
        [3, 8, 8],
        Layer {
            stride: [2, 1],
            ..same([3, 3])
        }
    )));
    assert!(!are_applicable(&architecture(
        [3, 8, 8],
        Layer {
            padding: [0, 1],
            ..same([3, 3])
        }
    )));
    assert!(!are_applicable(&architecture([3, 2, 8], same([5, 3]))));
}

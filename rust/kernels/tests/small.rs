//! Steps of small networks refuse what does not fit. The core tests that they compute the same as its general path.

use chainrule_kernels::small::{Layer, Small};
use chainrule_kernels::{Buffer, Identity, Machine, Real, Term, Update, Vector};

/// l = 0.
#[derive(Clone, Copy)]
struct Nothing;

impl Term for Nothing {
    #[inline(always)]
    fn term<V: Vector>(self, a: V, _: V) -> (V, V) {
        (a.like(0.0), a.like(0.0))
    }
}

/// w ← w + g, with one state that does not change.
#[derive(Clone, Copy)]
struct Plus;

impl Update for Plus {
    const STATES: usize = 1;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, states: [V; 3], g: V) -> (V, [V; 3]) {
        (w + g, states)
    }
}

/// 3 → 5 → 2 units: w (3, 5), b, wᵀ (2, 5), b, with a line for each row.
const LEN: usize = 7 * 16;

fn layers() -> Vec<Layer> {
    vec![
        Layer { n_in: 3, n_out: 5, w: 0..48, b: Some(48..64), drops: false },
        Layer { n_in: 5, n_out: 2, w: 64..96, b: Some(96..112), drops: false },
    ]
}

fn small(rows: usize) -> Small<f32> {
    Small::new(&layers(), rows).unwrap()
}

fn machine() -> Machine {
    Machine::available().into_iter().find(|&machine| Small::<f32>::is_for(machine)).expect("vectors")
}

const PASS: Option<Identity> = None;

#[test]
fn places_are_padded_and_rows_come_in_lines() {
    let mut small = small(7);
    assert_eq!(small.rows(), f32::LINE);
    assert_eq!((small.x_mut(7).rows(), small.x_mut(7).columns(), small.y_t_mut(3).rows()), (7, 3, 2));
    assert!(!Small::<f64>::is_for(Machine::named("portable").unwrap()));
}

#[test]
fn zeros_stay_zeros() {
    if Machine::available().len() == 1 {
        return; // without vectors there are no such kernels
    }
    let (mut small, mut parameters) = (small(20), vec![0.0f32; LEN]);
    let mut states = [Buffer::zeroed(LEN).unwrap()];
    small.x_mut(20);
    small.scale_mut(20)[..20].fill(1.0);
    small.forward(machine(), &parameters, 20, (Identity, PASS));
    assert_eq!(small.outputs(20).as_ref().row(1)[..20], [0.0; 20]);
    assert!(small.backward(machine(), &parameters, 20, None, (Identity, Nothing), Some(1.0)));
    assert_eq!(small.losses(20), [0.0; 20]);
    small.update(machine(), &mut parameters, &mut states, 20, [Plus; 2]);
    small.gradient(machine(), &mut parameters, 20);
    assert_eq!(parameters, [0.0; LEN]);
}

#[test]
#[should_panic(expected = "layers that do not fit")]
fn new_refuses_layers_that_do_not_fit() {
    let mut layers = layers();
    (layers[1].n_in, layers[1].w) = (4, 64..96);
    let _ = Small::<f32>::new(&layers, 1);
}

#[test]
#[should_panic(expected = "a w of another size")]
fn new_refuses_a_short_w() {
    let mut layers = layers();
    layers[0].w = 0..47;
    let _ = Small::<f32>::new(&layers, 1);
}

#[test]
#[should_panic(expected = "a short b")]
fn new_refuses_a_short_b() {
    let mut layers = layers();
    layers[1].b = Some(96..97);
    let _ = Small::<f32>::new(&layers, 1);
}

#[test]
#[should_panic(expected = "no layers")]
fn new_refuses_no_layers() {
    let _ = Small::<f32>::new(&[], 1);
}

#[test]
#[should_panic(expected = "17 rows, not 16")]
fn x_refuses_too_many_rows() {
    small(16).x_mut(17);
}

#[test]
#[should_panic(expected = "17 rows, not 16")]
fn scale_refuses_too_many_rows() {
    small(16).scale_mut(17);
}

#[test]
#[should_panic(expected = "111 parameters, not 112")]
fn forward_refuses_too_few_parameters() {
    small(16).forward(machine(), &[0.0; LEN - 1], 16, (Identity, PASS));
}

#[test]
#[should_panic(expected = "17 rows, not 16")]
fn forward_refuses_too_many_rows() {
    small(16).forward(machine(), &[0.0; LEN], 17, (Identity, PASS));
}

#[test]
#[should_panic(expected = "not a label a row")]
fn backward_refuses_too_few_labels() {
    small(16).backward(machine(), &[0.0; LEN], 16, Some(&[0; 15]), (Identity, Nothing), Some(1.0));
}

#[test]
#[should_panic(expected = "0 states, not 1")]
fn update_refuses_too_few_states() {
    small(16).update(machine(), &mut [0.0; LEN], &mut [], 16, [Plus; 2]);
}

#[test]
#[should_panic(expected = "111 parameters, not 112")]
fn gradient_refuses_a_short_gradient() {
    small(16).gradient(machine(), &mut [0.0; LEN - 1], 16);
}

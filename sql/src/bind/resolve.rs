//! Overload resolution: which function or operator a name with these argument types means, by
//! PostgreSQL's rules (`func_select_candidate`).

use super::coerce::{can_coerce, category, is_polymorphic, is_preferred};
use types::cast::CastContext::Implicit;
use types::{Oid, oid};

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The candidate at this place.
    One(usize),
    /// None fits.
    None,
    /// Several fit equally well.
    Ambiguous,
}

/// A signature to choose from.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    /// Types of the arguments, as many as the call has.
    pub(crate) args: Vec<Oid>,
    /// Came from a variadic function by repeating its last type.
    pub(crate) expanded: bool,
}

/// Spreads a declared signature over `count` arguments; `None` when it does not take that many. The
/// last type of a variadic one repeats, from one time on.
pub(crate) fn spread(declared: &[Oid], variadic: bool, count: usize) -> Option<Signature> {
    if !variadic {
        return (declared.len() == count)
            .then(|| Signature { args: declared.to_vec(), expanded: false });
    }
    let last = *declared.last()?;
    if count < declared.len() {
        return None;
    }
    let mut args = declared.to_vec();
    args.resize(count, last);
    Some(Signature { args, expanded: true })
}

/// Chooses by the types of the actual arguments.
pub(crate) fn choose(signatures: &[Signature], actual: &[Oid]) -> Choice {
    let exact = |s: &Signature| s.args.iter().zip(actual).all(|(a, b)| a == b);
    if let Some(found) = signatures.iter().position(|s| !s.expanded && exact(s)) {
        return Choice::One(found);
    }
    let fitting: Vec<usize> =
        (0..signatures.len()).filter(|&i| fits(&signatures[i].args, actual)).collect();
    match fitting.as_slice() {
        [] => Choice::None,
        [one] => Choice::One(*one),
        _ => select(signatures, fitting, actual),
    }
}

/// Every argument can become the declared type without being asked, and polymorphic ones agree.
fn fits(declared: &[Oid], actual: &[Oid]) -> bool {
    declared.iter().zip(actual).all(|(&to, &from)| fits_one(from, to))
        && polymorphic(declared, actual).is_some()
}

fn fits_one(from: Oid, to: Oid) -> bool {
    match to {
        oid::ANYARRAY | oid::ANYCOMPATIBLEARRAY => {
            from == oid::UNKNOWN || types::element_of(from).is_some()
        }
        oid::ANYNONARRAY | oid::ANYCOMPATIBLENONARRAY => {
            from == oid::UNKNOWN || types::element_of(from).is_none()
        }
        oid::ANYENUM => false,
        _ => can_coerce(from, to, Implicit),
    }
}

/// What the polymorphic types of a signature stand for in a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Polymorphic {
    /// `anyelement`.
    pub(crate) element: Option<Oid>,
    /// `anycompatible`.
    pub(crate) compatible: Option<Oid>,
}

impl Polymorphic {
    /// The actual type in place of a declared one.
    pub(crate) fn actual(&self, declared: Oid) -> Option<Oid> {
        let array = |e: Option<Oid>| e.and_then(types::array_of);
        match declared {
            oid::ANYELEMENT | oid::ANYNONARRAY => self.element,
            oid::ANYARRAY => array(self.element),
            oid::ANYCOMPATIBLE | oid::ANYCOMPATIBLENONARRAY => self.compatible,
            oid::ANYCOMPATIBLEARRAY => array(self.compatible),
            other => Some(other),
        }
    }
}

/// Matches polymorphic arguments; `None` when they contradict each other.
pub(crate) fn polymorphic(declared: &[Oid], actual: &[Oid]) -> Option<Polymorphic> {
    let mut out = Polymorphic::default();
    let mut compatible = Vec::new();
    for (&to, &from) in declared.iter().zip(actual) {
        if from == oid::UNKNOWN {
            continue;
        }
        let element = match to {
            oid::ANYELEMENT | oid::ANYNONARRAY => from,
            oid::ANYARRAY => types::element_of(from)?,
            oid::ANYCOMPATIBLE | oid::ANYCOMPATIBLENONARRAY => {
                compatible.push(from);
                continue;
            }
            oid::ANYCOMPATIBLEARRAY => {
                compatible.push(types::element_of(from)?);
                continue;
            }
            _ => continue,
        };
        match out.element {
            Some(known) if known != element => return None,
            _ => out.element = Some(element),
        }
    }
    if !compatible.is_empty() {
        out.compatible = Some(super::common::common_type(&compatible).ok()?);
    }
    // Only literals of undecided type: text, as PostgreSQL resolves them in the end.
    let wants = |list: [Oid; 3]| declared.iter().any(|d| list.contains(d));
    if out.element.is_none() && wants([oid::ANYELEMENT, oid::ANYARRAY, oid::ANYNONARRAY]) {
        out.element = Some(oid::TEXT);
    }
    if out.compatible.is_none()
        && wants([oid::ANYCOMPATIBLE, oid::ANYCOMPATIBLEARRAY, oid::ANYCOMPATIBLENONARRAY])
    {
        out.compatible = Some(oid::TEXT);
    }
    Some(out)
}

fn select(signatures: &[Signature], fitting: Vec<usize>, actual: &[Oid]) -> Choice {
    let arg = |i: usize, n: usize| signatures[i].args[n];
    // Most exact matches.
    let exact = |i: usize| (0..actual.len()).filter(|&n| arg(i, n) == actual[n]).count();
    let mut left = keep_best(fitting, exact);
    if let [one] = left.as_slice() {
        return Choice::One(*one);
    }
    // Most arguments that are exact or of the preferred type of the argument's category.
    let preferred = |i: usize| {
        let good = |n: usize| {
            actual[n] != oid::UNKNOWN
                && (arg(i, n) == actual[n]
                    || (category(arg(i, n)) == category(actual[n]) && is_preferred(arg(i, n))))
        };
        (0..actual.len()).filter(|&n| good(n)).count()
    };
    left = keep_best(left, preferred);
    if let [one] = left.as_slice() {
        return Choice::One(*one);
    }
    if !actual.contains(&oid::UNKNOWN) {
        return settle(signatures, left);
    }
    left = by_category(signatures, left, actual);
    if let [one] = left.as_slice() {
        return Choice::One(*one);
    }
    // All known arguments of one type: let the unknown ones be of it too.
    let mut known = actual.iter().copied().filter(|&t| t != oid::UNKNOWN);
    if let Some(first) = known.next()
        && known.all(|t| t == first)
    {
        let all: Vec<Oid> = vec![first; actual.len()];
        let matching: Vec<usize> =
            left.iter().copied().filter(|&i| fits(&signatures[i].args, &all)).collect();
        if let [one] = matching.as_slice() {
            return Choice::One(*one);
        }
    }
    settle(signatures, left)
}

/// A plain signature beats one that was spread from a variadic function.
fn settle(signatures: &[Signature], left: Vec<usize>) -> Choice {
    let plain: Vec<usize> = left.iter().copied().filter(|&i| !signatures[i].expanded).collect();
    match (plain.as_slice(), left.as_slice()) {
        ([one], _) | ([], [one]) => Choice::One(*one),
        _ => Choice::Ambiguous,
    }
}

fn keep_best(candidates: Vec<usize>, score: impl Fn(usize) -> usize) -> Vec<usize> {
    let best = candidates.iter().map(|&i| score(i)).max().unwrap_or(0);
    candidates.into_iter().filter(|&i| score(i) == best).collect()
}

/// For every argument of undecided type picks a category (strings if anybody takes one) and keeps
/// the candidates that accept it.
fn by_category(signatures: &[Signature], left: Vec<usize>, actual: &[Oid]) -> Vec<usize> {
    let mut rules = Vec::new();
    for n in (0..actual.len()).filter(|&n| actual[n] == oid::UNKNOWN) {
        let mut categories: Vec<char> =
            left.iter().map(|&i| category(signatures[i].args[n])).collect();
        categories.sort_unstable();
        categories.dedup();
        let chosen = if categories.contains(&'S') {
            'S'
        } else if let [only] = categories.as_slice() {
            *only
        } else {
            return left;
        };
        let some_preferred = left.iter().any(|&i| {
            let ty = signatures[i].args[n];
            category(ty) == chosen && is_preferred(ty)
        });
        rules.push((n, chosen, some_preferred));
    }
    let accepted: Vec<usize> = left
        .iter()
        .copied()
        .filter(|&i| {
            rules.iter().all(|&(n, chosen, some_preferred)| {
                let ty = signatures[i].args[n];
                !is_polymorphic_mismatch(ty)
                    && category(ty) == chosen
                    && (!some_preferred || is_preferred(ty))
            })
        })
        .collect();
    if accepted.is_empty() { left } else { accepted }
}

fn is_polymorphic_mismatch(ty: Oid) -> bool {
    is_polymorphic(ty) && ty == oid::ANYENUM
}

//! What each telling word of a line asserts: whether it happened, who did it, where to.

use super::sense::{Group, Sense};
use super::vocabulary::Token;

/// A set of [`Mode`]s.
pub(super) type Modes = u8;

/// How a word is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Mode {
    /// Asserted, without more.
    Plain = 1,
    /// Asserted as having happened: 已.
    Already = 2,
    /// Asserted as having succeeded: 成功, completed.
    Success = 4,
    /// Denied or failed.
    Negated = 8,
    /// Expected, possible or asked for.
    Future = 16,
    /// Overtaken by what the same line says behind it.
    Past = 32,
    /// Asserted, but behind words that may turn it round: 督促签收.
    Unclear = 64,
}

/// A telling word in its clause.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occurrence {
    pub(super) sense: Sense,
    pub(super) mode: Mode,
    /// The nearest person and the nearest place before it.
    pub(super) before: u128,
    /// The person or place that it goes to: the next one behind it, up to the next step.
    pub(super) towards: u128,
    /// Every sense in its clause.
    pub(super) around: u128,
}

impl Occurrence {
    /// Some pieces only, as their numbers tell.
    pub(super) const PARTIAL: Self = Self {
        sense: Sense::Partial,
        mode: Mode::Plain,
        before: 0,
        towards: 0,
        around: 0,
    };
}

/// Reads the words of all clauses in their order.
pub(super) fn occurrences(clauses: &[Vec<Token>]) -> Vec<Occurrence> {
    let mut all = Vec::with_capacity(16);
    for clause in clauses {
        let around = clause.iter().fold(0, |set, token| set | token.sense.bit());
        for (at, token) in clause.iter().enumerate() {
            if matches!(token.sense.group(), Group::Mark | Group::Modality) {
                continue;
            }
            let (left, right) = clause.split_at(at);
            let right = right.get(1..).unwrap_or_default();
            all.push(Occurrence {
                sense: token.sense,
                mode: mode(left, *token, right),
                before: before(left),
                towards: towards(right),
                around,
            });
        }
    }
    overtake(&mut all);
    all
}

fn before(left: &[Token]) -> u128 {
    let mut set = 0;
    let mut found = (false, false);
    for token in left.iter().rev().take_while(|token| token.sense != Sense::Colon) {
        let seen = match token.sense.group() {
            Group::Person => &mut found.0,
            Group::Place => &mut found.1,
            _ => continue,
        };
        if !std::mem::replace(seen, true) {
            set |= token.sense.bit();
        }
    }
    set
}

fn towards(right: &[Token]) -> u128 {
    let ends = |token: &Token| token.sense.is_event() || matches!(token.sense, Sense::From | Sense::Done | Sense::Now);
    let mut reach = right.iter().take_while(|token| !ends(token));
    // "Delivered by courier to a neighbour" goes to the neighbour.
    let target = reach.find(|token| token.sense.is_who_or_where() && token.sense != Sense::Courier);
    target.map_or(0, |token| token.sense.bit())
}

/// At most so many ideographs between two words.
fn is_near(first: Token, second: Token, ideographs: u32, letters: u32) -> bool {
    let gap = second.start.saturating_sub(first.end);
    gap <= if first.is_chinese {
        ideographs.saturating_mul(3)
    } else {
        letters
    }
}

fn mode(left: &[Token], token: Token, right: &[Token]) -> Mode {
    let behind = if token.sense.is_event() {
        mode_from_behind(token, right)
    } else {
        None
    };
    if let Some(mode) = behind.filter(|mode| *mode != Mode::Success) {
        return mode;
    }
    if is_called_off(left, token) {
        return Mode::Negated;
    }
    let follows_success = left
        .last()
        .is_some_and(|last| last.sense == Sense::Success && is_near(*last, token, 1, 1));
    let is_under_way = right.first().is_some_and(|next| next.sense == Sense::Ongoing);
    // English tells what happened in the participle itself, but "return" and "returning" are still under way.
    let mut asserted = if token.is_chinese && !token.is_perfect || token.sense == Sense::Return {
        Mode::Plain
    } else {
        Mode::Already
    };
    let mut crossed_event = false;
    let mut is_settled = false;
    let mut is_arranged = false;
    for (at, other) in left.iter().enumerate().rev() {
        let is_adjacent = at.saturating_add(1) == left.len() && is_near(*other, token, 0, 1);
        match other.sense {
            Sense::Colon => break,
            Sense::Not if !crossed_event && !is_settled => return Mode::Negated,
            Sense::Done => {
                if !crossed_event && !is_settled && !is_under_way && !is_arranged {
                    asserted = Mode::Already;
                }
                is_settled = true;
            }
            // 正在上门取件
            Sense::Now if matches!(token.sense, Sense::Collect | Sense::Fetch) => return Mode::Future,
            Sense::Now => is_settled = true,
            Sense::Request => return Mode::Future,
            Sense::Future | Sense::Retry if !is_settled => return Mode::Future,
            // 致电无人接听: what came of the call is no plan.
            Sense::Contact if !is_settled && token.sense.group() != Group::Trouble => return Mode::Future,
            // "awaiting being signed for"
            Sense::Ready if !token.is_chinese && is_handover(token.sense) && !is_settled && !crossed_event => {
                return Mode::Future;
            }
            // 应寄件人要求退回: what was asked for was done.
            Sense::Wish if !is_settled && !left.iter().take(at).any(|earlier| earlier.sense == Sense::Per) => {
                return Mode::Future;
            }
            Sense::WithProof
                if !is_settled
                    && !token.is_perfect
                    && !left.iter().take(at).any(|earlier| earlier.sense == Sense::Done) =>
            {
                return Mode::Future;
            }
            // 已安排退回: it was arranged, not done.
            Sense::Arrange => is_arranged = true,
            // 延迟送达
            Sense::Delayed | Sense::CancelBare | Sense::Overdue if is_adjacent => return Mode::Future,
            // 不方便签收, 不愿收货
            Sense::Absent | Sense::Refuse | Sense::Unreachable if is_adjacent && is_handover(token.sense) => {
                return Mode::Negated;
            }
            // 已到网点取走, 已凭取件码取走
            Sense::Arrive | Sense::Code => {}
            sense => crossed_event |= sense.is_event(),
        }
    }
    // 预约派送成功 is still to come, so success speaks after what stands in front.
    if follows_success || behind.is_some() {
        Mode::Success
    } else if asserted == Mode::Plain && is_unclear(left, token, right) {
        Mode::Unclear
    } else {
        asserted
    }
}

/// 督促签收, 签收问题: unknown words right beside the step may make something else of it. 提前签收 is what people complain
/// about, and 签收快件领红包 asks for it. Only steps that end the parcel's clock are doubted.
fn is_unclear(left: &[Token], token: Token, right: &[Token]) -> bool {
    let is_hasty = left.last().is_some_and(|last| last.sense == Sense::Hasty);
    let is_asked_of_reader =
        left.is_empty() && is_handover(token.sense) && right.first().is_some_and(|next| next.sense == Sense::Goods);
    token.is_chinese
        && (token.touches_unknown || is_hasty || is_asked_of_reader)
        && (is_handover(token.sense) || token.sense == Sense::Return)
}

/// 未完成签收, 停止派送, "failed delivery"; but in 派送失败签收 the failure belongs to the step before it.
fn is_called_off(left: &[Token], token: Token) -> bool {
    let Some((failed, earlier)) = left.split_last().filter(|(last, _)| last.sense == Sense::Failed) else {
        return false;
    };
    let is_taken = earlier
        .last()
        .is_some_and(|step| step.sense.is_event() && is_near(*step, *failed, 3, 12));
    !is_taken && token.sense.is_event() && is_near(*failed, token, 0, 3)
}

/// 签收失败, 派送成功, 妥投中, 取件码将发送, 退件请联系: the words behind decide before those in front of it.
fn mode_from_behind(token: Token, right: &[Token]) -> Option<Mode> {
    let first = right.first()?;
    let is_ongoing = first.sense == Sense::Ongoing && is_near(token, *first, 2, 1);
    // 妥投短信, 送达要求
    let is_noun = matches!(
        first.sense,
        Sense::Neutral | Sense::Wish | Sense::Wrong | Sense::Phone | Sense::Address
    ) && token.end == first.start;
    let is_asked_for = first.sense == Sense::Request && is_near(token, *first, 1, 0)
        || matches!(first.sense, Sense::Future | Sense::Overdue | Sense::CancelBare) && is_near(token, *first, 0, 0);
    match token.sense {
        Sense::Sign | Sense::Deliver | Sense::Take | Sense::ReturnSigned if is_ongoing || is_asked_for || is_noun => {
            return Some(Mode::Future);
        }
        Sense::Collect | Sense::Fetch if is_ongoing => return Some(Mode::Future),
        Sense::Return if matches!(first.sense, Sense::CancelBare | Sense::Cancel) && is_near(token, *first, 1, 10) => {
            return Some(Mode::Negated);
        }
        Sense::Return if right.iter().any(|next| next.sense == Sense::Request) => return Some(Mode::Future),
        Sense::Code if right.iter().any(|next| next.sense == Sense::Future) => return Some(Mode::Future),
        _ => {}
    }
    let mut rest = right
        .iter()
        .skip_while(|next| matches!(next.sense, Sense::Done | Sense::Ongoing));
    let next = rest.next()?;
    match next.sense {
        Sense::Failed if is_near(token, *next, 3, 12) => Some(Mode::Negated),
        Sense::Problem if is_near(token, *next, 2, 3) => Some(Mode::Negated),
        // "Delivery could not be made", "the cancellation was not processed"
        Sense::Not
            if matches!(token.sense, Sense::Delivery | Sense::Cancel | Sense::Return)
                && !token.is_chinese
                && is_near(token, *next, 0, 4) =>
        {
            Some(Mode::Negated)
        }
        // 派件未能成功
        Sense::Not if is_near(token, *next, 1, 8) && rest.next().is_some_and(|last| last.sense == Sense::Success) => {
            Some(Mode::Negated)
        }
        Sense::Success if is_near(token, *next, 1, 8) => Some(Mode::Success),
        _ => None,
    }
}

/// The last word counts: an attempt that failed yesterday is past when the line goes on to a new one or to a
/// signature, and a round that ended at a closed door is past as well.
fn overtake(all: &mut [Occurrence]) {
    let last = |test: &dyn Fn(&Occurrence) -> bool| all.iter().rposition(test);
    let last_step = last(&|found| is_forward(found.sense) && is_asserted(found.mode));
    let last_trouble = last(&is_trouble);
    let last_denial = last(&is_denial);
    let (Some(step), Some(trouble)) = (last_step, last_trouble) else {
        return;
    };
    let hindrance = Sense::Absent.bit() | Sense::Refuse.bit() | Sense::Unreachable.bit() | Sense::Delayed.bit();
    for (at, found) in all.iter_mut().enumerate() {
        let is_past = if step > trouble {
            is_trouble(found)
        } else {
            is_asserted(found.mode)
                && (matches!(found.sense, Sense::Dispatch | Sense::SetOut)
                    || is_handover(found.sense) && last_denial.is_some_and(|denial| denial > at)
                    // 送达客户不在
                    || is_handover(found.sense) && found.mode == Mode::Plain && found.around & hindrance != 0)
        };
        if is_past {
            found.mode = Mode::Past;
        }
    }
}

fn is_asserted(mode: Mode) -> bool {
    matches!(mode, Mode::Plain | Mode::Already | Mode::Success)
}

fn is_handover(sense: Sense) -> bool {
    matches!(
        sense,
        Sense::Sign
            | Sense::Deliver
            | Sense::ProxySign
            | Sense::Take
            | Sense::CodeSign
            | Sense::HoldFor
            | Sense::Receive
    )
}

fn is_forward(sense: Sense) -> bool {
    is_handover(sense) || matches!(sense, Sense::Dispatch | Sense::SetOut | Sense::SignProblem)
}

fn is_attempt(sense: Sense) -> bool {
    is_handover(sense) || matches!(sense, Sense::Dispatch | Sense::Delivery | Sense::Bring)
}

fn is_denial(found: &Occurrence) -> bool {
    is_attempt(found.sense) && found.mode == Mode::Negated
        || matches!(found.sense, Sense::Refuse | Sense::Unsigned) && is_asserted(found.mode)
}

fn is_trouble(found: &Occurrence) -> bool {
    is_denial(found)
        || is_asserted(found.mode) && (found.sense.group() == Group::Trouble || found.sense == Sense::Attempt)
}

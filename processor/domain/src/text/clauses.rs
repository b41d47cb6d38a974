//! Which words of a line count: names of places are one word, conditions, courtesy and general talk are none.

use super::sense::{Group, Sense};
use super::vocabulary::Token;

/// Ideographs that may stand between a name's parts, in bytes: 丰巢四川绵阳分拨中心 is one place.
const NAME_GAP: u32 = 12;

/// The clauses of a line that say what happened, each with its words in order.
pub(super) fn clauses(line: &str, tokens: Vec<Token>) -> Vec<Vec<Token>> {
    let tokens = join_names(open_asides(close_names(line, tokens)));
    let mut kept = Vec::with_capacity(4);
    let mut under_condition = false;
    let mut clause = Vec::new();
    let mut start = 0;
    for token in tokens {
        if token.sense.group() != Group::Mark || token.sense == Sense::Colon {
            if let Some(token) = settle(token, clause.last(), start) {
                clause.push(token);
            }
            continue;
        }
        start = token.end;
        if token.sense == Sense::Question {
            clause.clear();
        } else if !clause.is_empty() {
            keep(std::mem::take(&mut clause), &mut under_condition, &mut kept);
        }
        if matches!(
            token.sense,
            Sense::SentenceEnd | Sense::Semicolon | Sense::Close | Sense::Question
        ) {
            under_condition = false;
        }
    }
    keep(clause, &mut under_condition, &mut kept);
    kept
}

/// What stands in 【…】 is a place if it ends in one, whatever words its name is made of; else it is read like the rest.
fn close_names(line: &str, tokens: Vec<Token>) -> Vec<Token> {
    let is_mark = |token: &Token| matches!(token.sense, Sense::NameOpen | Sense::NameClose);
    if !tokens.iter().any(is_mark) {
        return tokens;
    }
    let mut out = Vec::with_capacity(tokens.len());
    let mut rest = tokens.as_slice();
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        match token.sense {
            Sense::NameClose => {}
            Sense::NameOpen => {
                let Some(length) = after.iter().position(is_mark) else {
                    continue;
                };
                let (inside, behind) = after.split_at(length);
                let Some((close, behind)) = behind.split_first().filter(|(mark, _)| mark.sense == Sense::NameClose)
                else {
                    continue;
                };
                let name = line.get(token.end as usize..close.start as usize).unwrap_or_default();
                if let Some(sense) = kind_of_name(name, inside) {
                    // From behind the bracket: a name in brackets is no part of the word before it.
                    out.push(Token {
                        sense,
                        start: token.end,
                        end: close.end,
                        ..*token
                    });
                    rest = behind;
                }
            }
            _ => out.push(*token),
        }
    }
    out
}

/// The sense of a name in brackets; none if it is not a name but a part of the sentence.
fn kind_of_name(name: &str, inside: &[Token]) -> Option<Sense> {
    let speaks = |token: &Token| {
        matches!(
            token.sense,
            Sense::Comma | Sense::SentenceEnd | Sense::Colon | Sense::Semicolon
        )
    };
    if inside.iter().any(speaks) {
        return None;
    }
    let is_place = |token: &&Token| token.sense.group() == Group::Place;
    if let Some(place) = inside.iter().rfind(is_place) {
        return Some(place.sense);
    }
    match name.chars().next_back() {
        Some('部' | '站' | '点' | '场' | '局' | '所' | '处' | '组' | '厅') => Some(Sense::Depot),
        Some('店') => Some(Sense::Station),
        Some('市' | '区' | '县' | '省' | '路' | '街' | '道' | '镇' | '乡' | '村' | '号' | '州') => {
            Some(Sense::Neutral)
        }
        _ if inside.is_empty() => Some(Sense::Neutral),
        _ => None,
    }
}

/// An aside in round brackets that only names somebody or a place parts nothing: 送达(菜鸟驿站).
fn open_asides(tokens: Vec<Token>) -> Vec<Token> {
    if !tokens.iter().any(|token| token.sense == Sense::Open) {
        return tokens;
    }
    let mut out = Vec::with_capacity(tokens.len());
    let mut is_name = false;
    for (at, token) in tokens.iter().enumerate() {
        match token.sense {
            Sense::Open => {
                let mut inside = tokens
                    .iter()
                    .skip(at.saturating_add(1))
                    .take_while(|other| other.sense != Sense::Close);
                is_name = inside.all(|other| other.sense.is_who_or_where() || other.sense == Sense::Neutral);
                if !is_name {
                    out.push(*token);
                }
            }
            Sense::Close if is_name => is_name = false,
            _ => out.push(*token),
        }
    }
    out
}

/// Places and offices that follow each other closely are one name, and its last part says what it is.
fn join_names(tokens: Vec<Token>) -> Vec<Token> {
    let is_part =
        |token: &Token| token.is_chinese && (token.sense.group() == Group::Place || token.sense == Sense::Proxy);
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        match out.last_mut() {
            // 卖家物流中心: where the parcel came from.
            Some(last)
                if last.sense == Sense::Sender
                    && last.is_chinese
                    && matches!(token.sense, Sense::Hub | Sense::Depot)
                    && token.start == last.end =>
            {
                *last = Token {
                    sense: Sense::Origin,
                    start: last.start,
                    ..token
                };
            }
            // 取件门市, 派送网点: the step is a part of the name.
            Some(last) if names_a_place(*last) && token.sense.group() == Group::Place && token.start == last.end => {
                *last = Token {
                    start: last.start,
                    ..token
                };
            }
            // 落地配公司, 客户司机
            Some(last)
                if matches!(
                    (last.sense, token.sense),
                    (Sense::OtherCarrier, Sense::Depot) | (Sense::Recipient, Sense::Courier)
                ) && last.is_chinese
                    && token.start == last.end =>
            {
                last.end = token.end;
            }
            Some(last) if is_part(last) && is_part(&token) && token.start.saturating_sub(last.end) <= NAME_GAP => {
                last.sense = token.sense;
                last.end = token.end;
            }
            _ => out.push(token),
        }
    }
    out
}

fn names_a_place(token: Token) -> bool {
    token.is_chinese
        && matches!(
            token.sense,
            Sense::Fetch
                | Sense::SelfPickup
                | Sense::Take
                | Sense::Dispatch
                | Sense::Collect
                | Sense::Sign
                | Sense::Receive
        )
}

/// Words whose sense depends on their neighbours: 如 and 若 are a condition where a clause begins (else they are parts
/// of names), 无人 denies the step behind it.
fn settle(token: Token, last: Option<&Token>, start: u32) -> Option<Token> {
    let sense = match token.sense {
        Sense::WeakIf
            if token.start == start
                || last.is_some_and(|last| last.end == token.start && may_meet_condition(last.sense)) =>
        {
            Sense::If
        }
        Sense::WeakIf => return None,
        other => other,
    };
    Some(Token { sense, ..token })
}

/// 包裹若退回 is a condition, the courier 窦若川 is none.
fn may_meet_condition(sense: Sense) -> bool {
    sense.is_event() || matches!(sense, Sense::Goods | Sense::Waybill | Sense::Neutral | Sense::Recipient)
}

/// 家中无人 says that nobody was there; 无人签收 denies the step behind it, which comes to the same.
fn settle_nobody(clause: &mut [Token]) {
    for at in 0..clause.len() {
        let denies = clause
            .get(at.saturating_add(1))
            .is_some_and(|next| next.sense.is_event());
        if let Some(token) = clause.get_mut(at).filter(|token| token.sense == Sense::Nobody) {
            token.sense = if denies { Sense::Not } else { Sense::Absent };
        }
    }
}

/// Adds what of a clause says what happened.
fn keep(mut clause: Vec<Token>, under_condition: &mut bool, kept: &mut Vec<Vec<Token>>) {
    let asserts = |token: &Token| matches!(token.sense, Sense::Done | Sense::Now);
    if clause.is_empty() || *under_condition && !clause.iter().any(asserts) {
        return;
    }
    if clause.iter().any(|token| token.sense == Sense::Generic) || is_threat(&clause) {
        return;
    }
    settle_nobody(&mut clause);
    drop_occasion(&mut clause);
    if let Some((at, is_condition)) = first_idle(&clause) {
        if is_condition {
            let is_chinese = clause.get(at).is_some_and(|token| token.is_chinese);
            *under_condition = is_chinese || at == 0;
            // "Will be returned to sender if not collected": what only may come is no news.
            if clause
                .iter()
                .take(at)
                .any(|token| matches!(token.sense, Sense::Future | Sense::WillReturn))
            {
                return;
            }
        }
        clause.truncate(at);
    }
    if !clause.is_empty() {
        kept.push(clause);
    }
}

/// Where a clause stops telling what happened, and whether a condition begins there.
fn first_idle(clause: &[Token]) -> Option<(usize, bool)> {
    clause.iter().enumerate().find_map(|(at, token)| match token.sense {
        Sense::If => Some((at, true)),
        Sense::Courtesy => Some((at, false)),
        // 签收后, 派送前: the step is a time here.
        Sense::SuffixIf => {
            let mut before = at.checked_sub(1)?;
            let mut step = clause.get(before)?;
            // 派送完成前, 签收成功后
            if step.sense == Sense::Success && step.end == token.start {
                before = before.checked_sub(1)?;
                step = clause.get(before)?;
            }
            let goes_on = clause
                .iter()
                .skip(at)
                .any(|token| matches!(token.sense, Sense::Done | Sense::Now));
            // 清关时需要补充资料
            let names_papers = step.sense == Sense::Clear
                && clause
                    .iter()
                    .skip(at)
                    .any(|token| matches!(token.sense, Sense::Duty | Sense::CustomsPapers));
            let gap = token.start.saturating_sub(step.end);
            // 不在家时
            let is_near = gap == 0
                || clause
                    .get(before.saturating_add(1))
                    .is_some_and(|next| next.sense == Sense::Success)
                || gap <= 3 && step.sense.group() == Group::Trouble;
            (step.sense.is_event() && is_near && !goes_on && !names_papers).then_some((before, true))
        }
        _ => None,
    })
}

/// 派送时无人在家: what follows happened, and the step before 时 only says when.
fn drop_occasion(clause: &mut Vec<Token>) {
    let is_occasion = |pair: &[Token]| match pair {
        [step, suffix] => suffix.sense == Sense::SuffixIf && step.sense.is_event() && step.end == suffix.start,
        _ => false,
    };
    let Some(at) = clause.windows(2).position(is_occasion) else {
        return;
    };
    let behind = clause.iter().skip(at.saturating_add(2));
    let is_event = behind.clone().any(|token| {
        token.sense.group() == Group::Trouble || matches!(token.sense, Sense::Not | Sense::Done | Sense::Now)
    });
    let is_open = behind
        .clone()
        .any(|token| matches!(token.sense, Sense::Future | Sense::Request | Sense::If));
    if is_event && !is_open {
        clause.drain(at..=at.saturating_add(1));
    }
}

/// 超过7天未取将退回, 逾期将自动签收: what happens to parcels that nobody fetches, not what happened to this one.
fn is_threat(clause: &[Token]) -> bool {
    let is_late = |token: &Token| matches!(token.sense, Sense::Uncollected | Sense::Overdue);
    let mut rest = clause.iter().skip_while(|token| !is_late(token));
    if !rest.any(|token| token.sense == Sense::Future) {
        return false;
    }
    let mut is_hasty = false;
    rest.any(|token| {
        let is_signed_by_itself = is_hasty && token.sense == Sense::Sign;
        is_hasty = token.sense == Sense::Hasty;
        is_signed_by_itself || matches!(token.sense, Sense::Return | Sense::Destroyed)
    })
}

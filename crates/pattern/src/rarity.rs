//! How rare a gram is in what networks carry: a fixed model, so that a set depends on its patterns alone.
//!
//! Bytes are put into classes, and for each class the model says what it tells after each other one. The figures were
//! counted once over HTML, JavaScript, HTTP headers, English, machine code and chance, and rounded. They only steer
//! which part of a pattern is looked for first; a wrong one costs time and never a result.

/// How many classes there are. The letters, both cases as one, are the first 26.
const CLASSES: usize = 46;

/// What a byte of each class tells where nothing is known of the one before it, in half bits: a digit of base 36 for
/// each class.
const ALONE: &[u8; CLASSES] = b"aebb8cdbaifbcaaciba9dfeffie9eccddjeeefceki9kfl";

/// What a byte tells after another one: a row for the class before it, a digit for its own.
#[rustfmt::skip]
const AFTER: [&[u8; CLASSES]; CLASSES] = [
    b"ka9akd9lbmf896n9m676dddddimbkihfellmclllpmjmmp", // a
    b"7i8e6jiiadb7ii7ij8ce7jjk8jkekhchjlkgjiikmmfijm", // b
    b"7lae8im7cna8il4hma88akmlinifmhfibiienkjmooionp", // c
    b"bddc48ki7mmeji6ilfccdlkjenl9dfdjdh9hdddgnjgmno", // d
    b"aca9bafjfona96gbg789lde9gpn9eebfcicgbebgonhpqr", // e
    b"9khi8chh7mmaje6jlahdamlmgmkae6emcl9hkbjjnnglmo", // f
    b"djih5hb98llb9c9glaca9iklkbm9hddbfhihah8hmmflln", // g
    b"7igi5jli8mlfjk9dm9e6cmmmjmhakgglejdjigdinmdmhi", // h
    b"cc88a9blkod9b46amd87manhndnioijemojjdlmnppjomo", // i
    b"4fef8gfeegfefebfge8ebggggghegghghjihhhghiiaggi", // j
    b"bchh4hg97jjfhe9gegbegjhjhjkbbbci9gcfiedfklckjl", // k
    b"6hib5fkj5lj8jf9fmebacijmbnkbjeegfkefegdbjjdoon", // l
    b"7cic4klkaml7ai77mkcadkllgmiaegebckhjehjinnenmn", // m
    b"aj878e7icnbfibafnj85cgkfgmk9iedbcjegcfcdonhpoq", // n
    b"df77hadmekba84aan7bb9cagmepbkihgfjmkngklppipoq", // o
    b"6hif6jkbdkk6hj97m8b7aklgcnmflhhbafjiagbehngmko", // p
    b"egffeggdfghfgfffgede5ffgghiehghihi4gihhiii9ifj", // q
    b"7iad4hah7oebbb8hnbaa9djibooaiddj9hghdechongonq", // r
    b"cibj6emb8oififa9lg76bdhnfol8g9bgdj9ejebeomgooq", // s
    b"9hee68n67oldbh8am9b9cjimboo9ffbcagdhfecgmlhopr", // t
    b"aabe9gegbll787eak766jkljklldjghmgljkmklkmmelln", // u
    b"7ifh3g8h7jjhggdfjhfgijiigjhajedjehhi9gikllckjl", // v
    b"aahi7jj95klhidaikaagij5kkkicjh6lahjjkgjklmflkm", // w
    b"7idicii9cjjc7if8kig5ijjihjgdce9i7i9ghggfkjdkjl", // x
    b"eddhciehbkjaeb86jc9cfiejijl6edbgbf9ffceekjdlkl", // y
    b"cfff6gge5ggf8fefgfeeggggafhefbhhghhghhghjhchhj", // z
    b"fkejjjmglmmglllkmmglmimlmg98db6iamniihdckhenln", // digit
    b"9c9bcbcaaffcacbckca8eebeemd6pgiedogclfnrkkhqrr", // space
    b"9g7ccfjbellbghgfmcbbcjgmimm95ljiioc6ngmmmmdmmo", // line
    b"ced7egfcemjeceeencc7ghikkndaghegikli8c4dglhppq", // quote
    b"bf8eafcccgkeegcbecachiemkn9bciceomodmknmpmgooq", // .
    b"8e8aeba9bmhafgg9nc8beja8lmcedhh7momjajmiligmnp", // /
    b"7c9d9bidcjh8bedcjc98afallgadjkdn8qnlcmmollipop", // -
    b"ba9b9aeb8gfaabcbga97cbeghhhfiehiichhhghgjiciij", // _
    b"gggadbgdakljiceflhfaajelklcbl4kjjn9jbilnlkhnko", // =
    b"8d8aehbcfmgaefh8ld8adkblllmimik3gnjglkkmmignmo", // <
    b"dfbfedhgeliffegekedcfhgikkl95g9hemh4hggeghgomo", // >
    b"eedcacgdblbefefejfccfiaijlj9f9bihldfh9g7heelkm", // round
    b"iiiihhlfiomkihkjnjhiklljnna6hem9oqngoicpobjpoq", // :
    b"aebfbejgbmjeggfi9dddhiellml6c5lmmmmimhmmnfcnno", // ,;
    b"becdde9d8ggbd8deg9acfgeggggcgcfhhiheieggcgaigi", // &?%
    b"dfcfddhdciiefdgeidefhgediiidd7gdekeeiej8jdchik", // other
    b"fijhhikagjjfiikhkjihikkikjiillmkmkmlnlnlml1jel", // zero
    b"cdgdeffaeggcffgfgggefggggghfhihiiiiiifiiih5fgh", // control
    b"cjieedj6bjjbehifkihdfjjhjiihjjjkjikikkjjikdi3i", // ff
    b"efedeeebeffdeffeffedefffffhgghhghhgghhhghgafag", // high
];

/// The most that a byte tells which repeats the one before it: runs are common in every kind of data, and most so in
/// hostile ones.
const REPEATED_MAX: u32 = 4;

/// The class of a byte, in the order of the rows above.
fn class(byte: u8) -> usize {
    match byte {
        b'a'..=b'z' => usize::from(byte - b'a'),
        b'A'..=b'Z' => usize::from(byte - b'A'),
        b'0'..=b'9' => 26,
        b' ' | b'\t' => 27,
        b'\n' | b'\r' => 28,
        b'"' | b'\'' => 29,
        b'.' => 30,
        b'/' => 31,
        b'-' => 32,
        b'_' | 0x7f => 33,
        b'=' => 34,
        b'<' => 35,
        b'>' => 36,
        b'(' | b')' => 37,
        b':' => 38,
        b',' | b';' => 39,
        b'&' | b'?' | b'%' | b'#' => 40,
        0 => 42,
        1..=0x1f => 43,
        0xff => 44,
        0x80.. => 45,
        _ => 41,
    }
}

/// Writes how rare each gram of `length` bytes of `pattern` is, in half bits, beginning with the one at its start.
pub(crate) fn of_grams(pattern: &[u8], length: usize, rarities: &mut Vec<u32>) {
    rarities.clear();
    for gram in pattern.windows(length) {
        let first = gram.first().map_or(0, |byte| half_bits(ALONE, *byte));
        let rest = gram.windows(2).map(|pair| pair.first_chunk().map_or(0, |pair| after(*pair)));
        rarities.push(first + rest.sum::<u32>());
    }
}

/// What the second byte tells after the first.
fn after([before, byte]: [u8; 2]) -> u32 {
    let told = AFTER.get(class(before)).map_or(0, |row| half_bits(row, byte));
    if byte.eq_ignore_ascii_case(&before) { told.min(REPEATED_MAX) } else { told }
}

fn half_bits(row: &[u8; CLASSES], byte: u8) -> u32 {
    let digit = row.get(class(byte)).copied().unwrap_or(b'0');
    char::from(digit).to_digit(36).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rarities(pattern: &[u8]) -> Vec<u32> {
        let mut rarities = Vec::new();
        of_grams(pattern, 4, &mut rarities);
        rarities
    }

    #[test]
    fn each_gram_has_its_rarity() {
        assert_eq!(rarities(b"abcdef").len(), 3);
        assert!(rarities(b"abc").is_empty());
    }

    #[test]
    fn letters_weigh_the_same_in_either_case() {
        assert_eq!(rarities(b"jQuery"), rarities(b"JqUERY"));
    }

    #[test]
    fn runs_and_common_words_are_common() {
        let [run, zeros, common, rare] =
            [b"aaaa", b"\0\0\0\0", b"tion", b"j%q\xfe"].map(|gram| rarities(gram)[0]);
        assert!(run < common && zeros < common && common < rare, "{run} {zeros} {common} {rare}");
    }
}

using System.Globalization;
using System.Text;

namespace Omium.Kernel.Text;

/// <summary>What kind of statement a <see cref="Fact"/> is.</summary>
internal enum FactKind
{
    /// <summary>A number; <see cref="Fact.Keys"/> are its readings, any of which may be found.</summary>
    Number,

    /// <summary>Digits with signs between them (2026-11-21, 10-20, 10:30): found as a whole, or part by part.</summary>
    Digits,

    /// <summary>Letters and digits in one word, or an address: INV-2041, ada@x.org.</summary>
    Identifier,

    /// <summary>One or more capitalised words in a row, or what stands in quotation marks.</summary>
    Name,
}

/// <summary>Something that a text states and that can be looked for elsewhere.</summary>
/// <param name="Kind">Kind.</param>
/// <param name="Written">As it is written, for people.</param>
/// <param name="Keys">Normal forms: readings of a number, the parts of digits, the words of a name in their order.</param>
internal sealed record Fact(FactKind Kind, string Written, IReadOnlyList<string> Keys);

/// <summary>A word of a text in its normal form.</summary>
/// <param name="Written">As it is written.</param>
/// <param name="Key">Composed (NFC), lower case, without a possessive ending; a number in its normal form.</param>
/// <param name="BeginsSentence">True for the first word of a text and after . ! ? : ; or a line break.</param>
/// <param name="Adjoins">True when nothing but blanks stands between it and the word before.</param>
/// <param name="IsPercent">True when a percent sign follows.</param>
internal readonly record struct TextWord(string Written, string Key, bool BeginsSentence, bool Adjoins, bool IsPercent);

/// <summary>
/// Takes a text apart into words and finds the facts in it. Pure, needs no language, one pass; the exact rules stand in
/// docs/reference/guards.md.
/// </summary>
internal static class FactScanner
{
    private const string SentenceEnds = ".!?:;\n\r•…";
    private const string Openers = "\"“”„«`";
    private const string Closers = "\"”“”»`";
    private const int QuotedLengthMax = 200;

    /// <summary>The words of a text.</summary>
    public static List<TextWord> Words(string text)
    {
        text = CanonicalComposition.Compose(text);
        var words = new List<TextWord>();
        var (position, begins, adjoins) = (0, true, false);
        while (position < text.Length)
        {
            var start = position;
            if (!char.IsLetterOrDigit(text[position]) && !char.IsSurrogate(text[position]))
            {
                begins |= SentenceEnds.Contains(text[position], StringComparison.Ordinal);
                adjoins &= char.IsWhiteSpace(text[position]) && text[position] is not ('\n' or '\r');
                position++;
                continue;
            }

            position = EndOfWord(text, start);
            var written = text[start..position];
            var isNegative = start > 0 && text[start - 1] is '-' or '\u2212' && (start == 1 || !char.IsLetterOrDigit(text[start - 2])) && char.IsAsciiDigit(text[start]);
            words.Add(new TextWord(isNegative ? "-" + written : written, KeyOf(isNegative ? "-" + written : written), begins, adjoins && words.Count > 0, IsPercentAt(text, position)));
            (begins, adjoins) = (false, true);
        }

        return words;
    }

    /// <summary>The facts that a text states, in order. A text all of whose words are capitalised is a label: its first word counts as a name, too.</summary>
    public static List<Fact> Facts(string text)
    {
        var words = Words(text);
        var facts = new List<Fact>();
        var isLabel = words.Count > 0 && words.TrueForAll(word => IsCapitalised(word.Written) || char.IsAsciiDigit(word.Written[0]));
        for (var index = 0; index < words.Count; index++)
        {
            var word = words[index];
            if (OfWord(word) is { } fact)
            {
                facts.Add(fact);
            }
            else if (IsCapitalised(word.Written))
            {
                var end = index + 1;
                while (end < words.Count && words[end].Adjoins && !words[end].BeginsSentence && OfWord(words[end]) is null && IsCapitalised(words[end].Written))
                {
                    end++;
                }

                var first = word.BeginsSentence && !isLabel && !IsMarked(word.Written) ? index + 1 : index;
                AddName(facts, words, first, end);
                index = end - 1;
            }
        }

        AddQuoted(facts, text);
        return facts;
    }

    /// <summary>The fact that a word is by itself: a number, digits with signs, an identifier; null for other words.</summary>
    public static Fact? OfWord(TextWord word)
    {
        if (NumberText.TryRead(word.Written, out var number))
        {
            return new Fact(FactKind.Number, word.IsPercent ? word.Written + "%" : word.Written, NumberText.Readings(number, word.IsPercent));
        }

        var (letters, digits) = (word.Written.Any(char.IsLetter), word.Written.Any(char.IsAsciiDigit));
        if (digits && !letters)
        {
            var parts = word.Written.Split(['-', '/', ':', '.', ',', '+', '_'], StringSplitOptions.RemoveEmptyEntries);
            return new Fact(FactKind.Digits, word.Written, [word.Key, .. parts.Select(part => NumberText.TryRead(part, out var read) ? read : part)]);
        }

        return (digits && letters) || word.Written.Contains('@', StringComparison.Ordinal) ? new Fact(FactKind.Identifier, word.Written, [word.Key]) : null;
    }

    private static void AddName(List<Fact> facts, List<TextWord> words, int first, int end)
    {
        if (first < end)
        {
            var range = words.GetRange(first, end - first);
            facts.Add(new Fact(FactKind.Name, string.Join(' ', range.Select(word => word.Written)), [.. range.Select(word => word.Key)]));
        }
    }

    private static void AddQuoted(List<Fact> facts, string text)
    {
        for (var position = 0; position < text.Length; position++)
        {
            var kind = Openers.IndexOf(text[position], StringComparison.Ordinal);
            if (kind < 0)
            {
                continue;
            }

            var close = position + 1;
            while (close < text.Length && close - position <= QuotedLengthMax && text[close] != Closers[kind] && text[close] != '\n')
            {
                close++;
            }

            if (close < text.Length && text[close] == Closers[kind])
            {
                var quoted = Words(text[(position + 1)..close]);
                if (quoted.Count > 0)
                {
                    facts.Add(new Fact(FactKind.Name, text[position..(close + 1)], [.. quoted.Select(word => word.Key)]));
                }

                position = close;
            }
        }
    }

    /// <summary>A capital letter first and at least two letters: "I" and "A" are no names.</summary>
    private static bool IsCapitalised(string word) =>
        char.GetUnicodeCategory(word[0]) is UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter && word.Length > 1 && char.IsLetter(word[1]);

    /// <summary>More than one capital: McKay, ACME. Such a word is a name even where a sentence begins.</summary>
    private static bool IsMarked(string word) => word.Skip(1).Any(char.IsUpper);

    private static int EndOfWord(string text, int start)
    {
        var position = start + 1;
        while (position < text.Length)
        {
            var character = text[position];
            var goesOn = char.IsLetterOrDigit(character) || char.IsSurrogate(character)
                || char.GetUnicodeCategory(character) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
                || (position + 1 < text.Length && Connects(character, text[position - 1], text[position + 1], text, position));
            if (!goesOn)
            {
                break;
            }

            position++;
        }

        return position;
    }

    /// <summary>Whether a sign between two characters holds a word together.</summary>
    private static bool Connects(char sign, char before, char after, string text, int position) => sign switch
    {
        ',' or ':' => char.IsAsciiDigit(before) && char.IsAsciiDigit(after),
        '\u00a0' or '\u202f' or '\u2009' => char.IsAsciiDigit(before) && NumberText.StartsGroup(text, position + 1),
        '.' or '-' or '_' or '/' or '@' or '+' or '&' or '\'' or '’' => char.IsLetterOrDigit(before) && char.IsLetterOrDigit(after),
        _ => false,
    };

    private static bool IsPercentAt(string text, int position)
    {
        if (position < text.Length && text[position] is ' ' or '\u00a0' or '\u202f')
        {
            position++;
        }

        return position < text.Length && text[position] == '%';
    }

    private static string KeyOf(string written)
    {
        if (NumberText.TryRead(written, out var number))
        {
            return number;
        }

        var key = written.ToLowerInvariant().Replace('’', '\'');
        return key.EndsWith("'s", StringComparison.Ordinal) ? key[..^2] : key;
    }
}

/// <summary>Numbers as people write them, in one normal form: sign, digits without leading or trailing zeros, power of ten.</summary>
internal static class NumberText
{
    private const int DigitsMax = 400;

    /// <summary>
    /// Reads 1,250.00 and 1'250 and 1_250 (groups of three), 1250.5, 3,5 (a comma that parts no group of three is decimal), 1e3, 5kg (the unit is
    /// left out). False for anything else.
    /// </summary>
    public static bool TryRead(string written, out string number)
    {
        number = "";
        var isNegative = written.StartsWith('-');
        var text = isNegative ? written[1..] : written;
        var end = 0;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || IsSeparatorAt(text, end)))
        {
            end++;
        }

        if (end == 0 || !char.IsAsciiDigit(text[0]) || end > DigitsMax)
        {
            return false;
        }

        var exponent = 0;
        var rest = text[end..];
        if (rest.Length > 1 && rest[0] is 'e' or 'E' && int.TryParse(rest[1..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var power) && Math.Abs((long)power) <= DigitsMax)
        {
            (exponent, rest) = (power, "");
        }

        if (!rest.All(char.IsLetter) || !TrySplit(text[..end], out var whole, out var fraction))
        {
            return false;
        }

        number = Normal(isNegative, whole + fraction, exponent - fraction.Length);
        return true;
    }

    /// <summary>A number of JSON or CEL, written as .NET's shortest round trip ("R") does.</summary>
    public static string OfDouble(double value) => TryRead(value.ToString("R", CultureInfo.InvariantCulture), out var number) ? number : "";

    /// <summary>What a number may stand for: itself; with a percent sign also its hundredth.</summary>
    public static IReadOnlyList<string> Readings(string number, bool isPercent)
    {
        if (!isPercent)
        {
            return [number];
        }

        var parts = number.Split('e');
        return parts[0] is "0" ? [number] : [number, $"{parts[0]}e{(int.Parse(parts[1], CultureInfo.InvariantCulture) - 2).ToString(CultureInfo.InvariantCulture)}"];
    }

    /// <summary>True when exactly three digits stand here and no fourth.</summary>
    public static bool StartsGroup(string text, int position) =>
        position + 3 <= text.Length && char.IsAsciiDigit(text[position]) && char.IsAsciiDigit(text[position + 1]) && char.IsAsciiDigit(text[position + 2])
        && (position + 3 == text.Length || !char.IsAsciiDigit(text[position + 3]));

    private static bool IsSeparatorAt(string text, int position) =>
        text[position] is '.' or ',' or '\'' or '’' or '_' or '\u00a0' or '\u202f' or '\u2009'
        && position > 0 && position + 1 < text.Length && char.IsAsciiDigit(text[position - 1]) && char.IsAsciiDigit(text[position + 1]);

    /// <summary>Whole and fractional digits. False when the separators make no number: 1.2.3, 12,34,5.</summary>
    private static bool TrySplit(string text, out string whole, out string fraction)
    {
        (whole, fraction) = ("", "");
        var signs = text.Where(character => !char.IsAsciiDigit(character)).ToArray();
        var last = text.LastIndexOfAny(['.', ',']);
        var isDecimal = last >= 0 && text.IndexOf(text[last], StringComparison.Ordinal) == last && (text[last] == '.' || signs.Contains('.') || !StartsGroup(text, last + 1));
        var integer = isDecimal ? text[..last] : text;
        fraction = isDecimal ? text[(last + 1)..] : "";
        if (!fraction.All(char.IsAsciiDigit))
        {
            return false;
        }

        var groups = integer.Split(['.', ',', '\'', '’', '_', '\u00a0', '\u202f', '\u2009']);
        var separators = integer.Where(character => !char.IsAsciiDigit(character)).Distinct().Count();
        if (groups.Length > 1 && (separators > 1 || groups[0].Length is 0 or > 3 || groups.Skip(1).Any(group => group.Length != 3)))
        {
            return false;
        }

        whole = string.Concat(groups);
        return true;
    }

    private static string Normal(bool isNegative, string digits, int exponent)
    {
        var significant = digits.TrimStart('0');
        var trimmed = significant.TrimEnd('0');
        return trimmed.Length == 0
            ? "0"
            : new StringBuilder().Append(isNegative ? "-" : "").Append(trimmed).Append('e').Append((exponent + significant.Length - trimmed.Length).ToString(CultureInfo.InvariantCulture)).ToString();
    }
}

using System.Buffers;
using System.Globalization;

namespace Omium.Kernel.Schemas;

/// <summary>The formats of validation 7.3 that Omium can check. Formats it does not know match everything.</summary>
internal static class SchemaFormats
{
    private const int DomainLengthMax = 253;
    private const int LabelLengthMax = 63;

    private static readonly SearchValues<char> UriLetters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%");

    private static readonly SearchValues<char> LocalPartLetters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~.");

    public static bool IsMatch(string format, string text) => format switch
    {
        "date-time" => IsDateTime(text),
        "date" => IsDate(text),
        "time" => IsTime(text),
        "email" => IsEmail(text),
        "uri" => IsUri(text),
        "uuid" => text.Length == 36 && Guid.TryParseExact(text, "D", out _),
        "ipv4" => IsIpv4(text),
        "ipv6" => IsIpv6(text),
        "hostname" => IsHostname(text),
        _ => true,
    };

    /// <summary>RFC 3339, section 5.6.</summary>
    private static bool IsDateTime(string text) => text.Length > 11 && text[10] is 'T' or 't' && IsDate(text[..10]) && IsTime(text[11..]);

    private static bool IsDate(string text) =>
        text.Length == 10 && text[4] == '-' && text[7] == '-'
        && Digits(text, 0, 4) is { } year && Digits(text, 5, 2) is { } month && Digits(text, 8, 2) is { } day
        && month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year == 0 ? 4 : year, month);

    private static bool IsTime(string text)
    {
        if (text.Length < 9 || text[2] != ':' || text[5] != ':' || Digits(text, 0, 2) is not { } hour || Digits(text, 3, 2) is not { } minute || Digits(text, 6, 2) is not { } second)
        {
            return false;
        }

        var at = 8;
        if (text[at] == '.')
        {
            var start = ++at;
            while (at < text.Length && char.IsAsciiDigit(text[at]))
            {
                at++;
            }

            if (at == start)
            {
                return false;
            }
        }

        if (hour > 23 || minute > 59 || second > 60 || Offset(text[at..]) is not { } offsetMinutes)
        {
            return false;
        }

        // A leap second is at 23:59:60 UTC.
        return second < 60 || (((hour * 60) + minute - offsetMinutes + 2880) % 1440) == 1439;
    }

    private static int? Offset(string text)
    {
        if (text is "Z" or "z")
        {
            return 0;
        }

        if (text.Length != 6 || text[0] is not ('+' or '-') || text[3] != ':' || Digits(text, 1, 2) is not { } hours || Digits(text, 4, 2) is not { } minutes || hours > 23 || minutes > 59)
        {
            return null;
        }

        return (text[0] == '-' ? -1 : 1) * ((hours * 60) + minutes);
    }

    private static int? Digits(string text, int start, int length)
    {
        var digits = text.AsSpan(start, length);
        return digits.IndexOfAnyExceptInRange('0', '9') < 0 ? int.Parse(digits, CultureInfo.InvariantCulture) : null;
    }

    /// <summary>RFC 5321, section 4.1.2, without comments.</summary>
    private static bool IsEmail(string text)
    {
        var at = text.LastIndexOf('@');
        if (at < 1)
        {
            return false;
        }

        var (local, domain) = (text[..at], text[(at + 1)..]);
        var isQuoted = local.Length > 2 && local[0] == '"' && local[^1] == '"' && IsQuotedContent(local[1..^1]);
        var isPlain = !local.StartsWith('.') && !local.EndsWith('.') && !local.Contains("..", StringComparison.Ordinal) && local.AsSpan().IndexOfAnyExcept(LocalPartLetters) < 0;
        var isLiteral = domain.Length > 2 && domain[0] == '[' && domain[^1] == ']'
            && (IsIpv4(domain[1..^1]) || (domain.StartsWith("[IPv6:", StringComparison.Ordinal) && IsIpv6(domain[6..^1])));
        return (isQuoted || isPlain) && (isLiteral || IsHostname(domain));
    }

    private static bool IsQuotedContent(string text)
    {
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] is '"' or < ' ' or > '~' || (text[index] == '\\' && ++index == text.Length))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>RFC 3986, section 3: with a scheme.</summary>
    private static bool IsUri(string text)
    {
        var schemeEnd = text.IndexOf(':', StringComparison.Ordinal);
        if (schemeEnd < 1 || !char.IsAsciiLetter(text[0]) || text.AsSpan().IndexOfAnyExcept(UriLetters) >= 0 || text.AsSpan().Count('#') > 1)
        {
            return false;
        }

        for (var index = 1; index < schemeEnd; index++)
        {
            if (!char.IsAsciiLetterOrDigit(text[index]) && text[index] is not ('+' or '-' or '.'))
            {
                return false;
            }
        }

        for (var at = text.IndexOf('%', StringComparison.Ordinal); at >= 0; at = text.IndexOf('%', at + 1))
        {
            if (at + 2 >= text.Length || !char.IsAsciiHexDigit(text[at + 1]) || !char.IsAsciiHexDigit(text[at + 2]))
            {
                return false;
            }
        }

        return HasGoodAuthority(text[(schemeEnd + 1)..]);
    }

    private static bool HasGoodAuthority(string rest)
    {
        if (!rest.StartsWith("//", StringComparison.Ordinal))
        {
            return rest.AsSpan().IndexOfAny('[', ']') < 0;
        }

        var end = rest.AsSpan(2).IndexOfAny("/?#");
        var authority = end < 0 ? rest[2..] : rest.Substring(2, end);
        if (end >= 0 && rest.AsSpan(2 + end).IndexOfAny('[', ']') >= 0)
        {
            return false;
        }

        var userEnd = authority.LastIndexOf('@');
        var host = authority[(userEnd + 1)..];
        if (userEnd >= 0 && authority.AsSpan(0, userEnd).IndexOfAny("[]@") >= 0)
        {
            return false;
        }

        var literalEnd = host.StartsWith('[') ? host.IndexOf(']', StringComparison.Ordinal) : -1;
        if (host.StartsWith('[') && (literalEnd < 0 || !IsIpv6(host[1..literalEnd])))
        {
            return false;
        }

        var name = host[(literalEnd + 1)..];
        var portAt = name.IndexOf(':', StringComparison.Ordinal);
        return name.AsSpan().IndexOfAny('[', ']') < 0 && (portAt < 0 || name.AsSpan(portAt + 1).IndexOfAnyExceptInRange('0', '9') < 0);
    }

    /// <summary>RFC 2673, section 3.2: four decimals without leading zeros.</summary>
    private static bool IsIpv4(string text)
    {
        var parts = text.Split('.', 5);
        return parts.Length == 4 && parts.All(part =>
            part.Length is >= 1 and <= 3 && (part.Length == 1 || part[0] != '0') && Digits(part, 0, part.Length) is <= 255);
    }

    /// <summary>RFC 4291, section 2.2; no zone.</summary>
    private static bool IsIpv6(string text)
    {
        if (text.Length is < 2 or > 45)
        {
            return false;
        }

        var gapAt = text.IndexOf("::", StringComparison.Ordinal);
        if (gapAt < 0)
        {
            return GroupsOf(text, canEndInIpv4: true) == 8;
        }

        var (head, tail) = (text[..gapAt], text[(gapAt + 2)..]);
        var count = (head.Length == 0 ? 0 : GroupsOf(head, canEndInIpv4: false)) + (tail.Length == 0 ? 0 : GroupsOf(tail, canEndInIpv4: true));
        return count is >= 0 and <= 7;
    }

    private static int GroupsOf(string text, bool canEndInIpv4)
    {
        const int Never = -100;
        var parts = text.Split(':');
        var count = 0;
        for (var index = 0; index < parts.Length; index++)
        {
            if (canEndInIpv4 && index == parts.Length - 1 && IsIpv4(parts[index]))
            {
                count += 2;
            }
            else if (parts[index].Length is >= 1 and <= 4 && parts[index].All(char.IsAsciiHexDigit))
            {
                count++;
            }
            else
            {
                return Never;
            }
        }

        return count;
    }

    /// <summary>RFC 1123, section 2.1.</summary>
    private static bool IsHostname(string text) =>
        text.Length is >= 1 and <= DomainLengthMax && text.Split('.').All(label =>
            label.Length is >= 1 and <= LabelLengthMax && label[0] != '-' && label[^1] != '-' && label.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-'));
}

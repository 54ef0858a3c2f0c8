using System.Text;

namespace Omium.Api.Sessions;

/// <summary>E-mail addresses as accounts have them.</summary>
internal static class EmailAddress
{
    /// <summary>Longest address, in characters (RFC 5321, section 4.5.3.1.3).</summary>
    public const int LengthMax = 254;

    /// <summary>
    /// The form in which two spellings of one address are equal; null for what is no address. Only letters case and composition are unified: which
    /// other spellings reach one mailbox is the business of its provider.
    /// </summary>
    public static string? Normalize(string? given)
    {
        if (given is null || given.Length is < 3 or > LengthMax)
        {
            return null;
        }

        string text;
        try
        {
            text = given.Trim().Normalize(NormalizationForm.FormC).ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            return null; // A lone surrogate.
        }

        var at = text.IndexOf('@', StringComparison.Ordinal);
        var isPlain = at > 0 && at == text.LastIndexOf('@') && at < text.Length - 1
            && !text.Any(letter => char.IsControl(letter) || char.IsWhiteSpace(letter) || letter is '<' or '>' or '(' or ')' or ',' or ';' or ':' or '\\' or '"' or '[' or ']');
        return isPlain && text[at + 1] != '.' && text[^1] != '.' && !text.Contains("..", StringComparison.Ordinal) ? text : null;
    }
}

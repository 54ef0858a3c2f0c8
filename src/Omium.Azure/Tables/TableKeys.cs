using System.Globalization;
using System.Text;

namespace Omium.Azure.Tables;

/// <summary>
/// Keys of table rows made from any text. Tables refuse <c>/ \ # ?</c> and control characters in keys and compare them ordinally, so what is not
/// <c>[0-9A-Za-z_-]</c> is written as hexadecimal UTF-8 behind a character that sorts at its place: the order of the keys is the order of the
/// texts' UTF-8 bytes, and two texts never share a key.
/// </summary>
/// <remarks>https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model</remarks>
internal static class TableKeys
{
    /// <summary>A key has at most 1 KiB of UTF-16.</summary>
    private const int KeyCharactersMax = 512;

    /// <summary>The text as part of a key.</summary>
    public static string Of(string text)
    {
        var key = new StringBuilder(text.Length + 8);
        foreach (var unit in Encoding.UTF8.GetBytes(text))
        {
            if (Mark(unit) is { } mark)
            {
                key.Append(mark).Append(unit.ToString("X2", CultureInfo.InvariantCulture));
            }
            else
            {
                key.Append((char)unit);
            }
        }

        return Checked(key.ToString());
    }

    /// <summary>The text that a key part was made of.</summary>
    public static string TextOf(string key)
    {
        var bytes = new List<byte>(key.Length);
        for (var at = 0; at < key.Length; at++)
        {
            if (Mark((byte)key[at]) is null)
            {
                bytes.Add((byte)key[at]);
            }
            else
            {
                bytes.Add(byte.Parse(key.AsSpan(at + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                at += 2;
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    /// <summary>A key part whose order is the reverse of the texts' (and a text sorts before what it begins with).</summary>
    public static string Reversed(string text)
    {
        var key = new StringBuilder(text.Length * 2 + 1);
        foreach (var unit in Encoding.UTF8.GetBytes(text))
        {
            key.Append((255 - unit).ToString("X2", CultureInfo.InvariantCulture));
        }

        return Checked(key.Append('~').ToString());
    }

    /// <summary>A number, not negative, in a width that sorts.</summary>
    public static string Of(long number) => number.ToString("D20", CultureInfo.InvariantCulture);

    /// <summary>A number, not negative, so that greater ones sort first.</summary>
    public static string Reversed(long number) => Of(long.MaxValue - number);

    /// <summary>Sorts after every key made here that begins with <paramref name="prefix"/>: behind a tilde stand hexadecimal digits only.</summary>
    public static string After(string prefix) => prefix + "~~";

    private static string Checked(string key) => key.Length <= KeyCharactersMax
        ? key
        : throw new ArgumentException($"The name is too long for a table key: {key.Length} characters, {KeyCharactersMax} are the most.");

    // The character before a run of bytes that keys do not hold; it sorts where they do.
    private static char? Mark(byte unit) => unit switch
    {
        (byte)'-' or (byte)'_' => null,
        >= (byte)'0' and <= (byte)'9' => null,
        >= (byte)'A' and <= (byte)'Z' => null,
        >= (byte)'a' and <= (byte)'z' => null,
        < (byte)'-' => '!',
        < (byte)'0' => '.',
        < (byte)'A' => ':',
        < (byte)'_' => '[',
        < (byte)'a' => '`',
        _ => '~',
    };
}

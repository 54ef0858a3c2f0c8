using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Omium.Kernel.Schemas;

/// <summary>
/// Strings of elements, read without allocating where that is possible.
/// Elements that nobody vetted may hold half a surrogate pair; their text is read as U+FFFD instead of failing.
/// </summary>
internal static class JsonText
{
    private const int ShortNameMax = 128;

    public static string Of(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return "\uFFFD";
        }
    }

    public static string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            return "\uFFFD";
        }
    }

    /// <summary>Unicode code points, not UTF-16 units.</summary>
    public static int CountCodePoints(JsonElement value)
    {
        var raw = JsonMarshal.GetRawUtf8Value(value)[1..^1];
        var count = 0;
        if (!raw.Contains((byte)'\\'))
        {
            foreach (var unit in raw)
            {
                count += (unit & 0xC0) == 0x80 ? 0 : 1;
            }

            return count;
        }

        foreach (var _ in Of(value).EnumerateRunes())
        {
            count++;
        }

        return count;
    }

    public static bool TryLookUp(Dictionary<string, SchemaNode> byName, JsonProperty member, out SchemaNode? node)
    {
        var raw = JsonMarshal.GetRawUtf8PropertyName(member);
        if (raw.Length > ShortNameMax || raw.Contains((byte)'\\'))
        {
            return byName.TryGetValue(NameOf(member), out node);
        }

        Span<char> name = stackalloc char[ShortNameMax];
        var length = Encoding.UTF8.GetChars(raw, name);
        return byName.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name[..length], out node);
    }

    /// <summary>Whether an object has a member of this name.</summary>
    public static bool HasMember(JsonElement value, MemberName name)
    {
        foreach (var member in value.EnumerateObject())
        {
            var raw = JsonMarshal.GetRawUtf8PropertyName(member);
            if (raw.SequenceEqual(name.Utf8) || (raw.Contains((byte)'\\') && NameOf(member) == name.Text))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>A name from a schema, with the bytes that most values spell it with.</summary>
internal sealed class MemberName(string text)
{
    public string Text { get; } = text;

    public byte[] Utf8 { get; } = Encoding.UTF8.GetBytes(text);
}

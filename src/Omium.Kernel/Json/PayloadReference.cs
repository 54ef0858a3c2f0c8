using System.Runtime.InteropServices;
using System.Text.Json;

namespace Omium.Kernel.Json;

/// <summary>
/// How a large value stands in events and inputs: <c>{"omium_ref": "sha256", "size": bytes}</c>. The bytes are a payload of the execution.
/// An object from outside that has the member <c>omium_ref</c> is refused at the edge, so that nobody can name a payload that is not theirs.
/// </summary>
public static class PayloadReference
{
    /// <summary>Values of more canonical bytes than this are stored once and referenced.</summary>
    public const int InlineBytesMax = 4_096;

    /// <summary>Most bytes that one decision may read from payloads.</summary>
    public const int DecisionBytesMax = 1_048_576;

    /// <summary>Name of the member that marks a reference.</summary>
    public const string Member = "omium_ref";

    /// <summary>Canonical bytes of a canonical element, without copying.</summary>
    public static ReadOnlySpan<byte> BytesOf(JsonElement canonical) => JsonMarshal.GetRawUtf8Value(canonical);

    /// <summary>The reference, when the value is one.</summary>
    public static bool TryRead(JsonElement value, out string digest, out long size)
    {
        (digest, size) = ("", 0);
        if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(Member, out var name) || name.ValueKind != JsonValueKind.String)
        {
            return false;
        }

        digest = name.GetString() ?? "";
        return value.TryGetProperty("size", out var bytes) && bytes.TryGetInt64(out size);
    }

    /// <summary>True when a value from outside uses the reserved name anywhere, however deep: it could name a payload, or one that is not there.</summary>
    public static bool IsNamedIn(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().Any(member => member.NameEquals(Member) || IsNamedIn(member.Value)),
        JsonValueKind.Array => value.EnumerateArray().Any(IsNamedIn),
        _ => false,
    };

    /// <summary>Makes a reference.</summary>
    public static JsonElement Of(string digest, long size) => JsonMake.Object((Member, JsonMake.Text(digest)), ("size", JsonMake.Integer(size)));
}

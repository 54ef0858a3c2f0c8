using System.Globalization;
using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Runtime.Audit;

/// <summary>
/// Checks an exported trail by itself, line by line: that each row follows from the one before, says what its hash says, and carries the personal data
/// that its digests say (or none: erased). Needs no key, no store and no server. A trail cut off at its end is whole by itself: compare the head.
/// </summary>
public sealed class AuditChecker
{
    /// <summary>Rows that hold so far.</summary>
    public long Rows { get; private set; }

    /// <summary>Hash of the last row that holds.</summary>
    public string Head { get; private set; } = AuditRow.Genesis;

    /// <summary>Parts about persons whose key was destroyed.</summary>
    public long Erased { get; private set; }

    /// <summary>Checks the next row, one JSON object; a text says what is wrong.</summary>
    public string? Check(string line)
    {
        try
        {
            var row = JsonElement.Parse(line);
            var seq = row.GetProperty("seq").GetInt64();
            var problem = ProblemOf(row, seq);
            if (problem is null)
            {
                (Rows, Head) = (seq, row.GetProperty("hash").GetString()!);
            }

            return problem is null ? null : string.Create(CultureInfo.InvariantCulture, $"row {seq}: {problem}");
        }
        catch (Exception broken) when (broken is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return string.Create(CultureInfo.InvariantCulture, $"after row {Rows}: this is no row of a trail: {broken.Message}");
        }
    }

    private string? ProblemOf(JsonElement row, long seq)
    {
        if (seq != Rows + 1)
        {
            return string.Create(CultureInfo.InvariantCulture, $"it does not follow row {Rows}: something was removed or put elsewhere");
        }

        var prevHash = Text(row, "prev_hash");
        if (prevHash != Head)
        {
            return "it does not name the hash of the row before";
        }

        var personal = new List<PersonalPart>();
        if (row.TryGetProperty("personal", out var parts) && parts.ValueKind == JsonValueKind.Array)
        {
            foreach (var part in parts.EnumerateArray())
            {
                personal.Add(new PersonalPart(Text(part, "person"), Text(part, "digest"), ""));
                if (!part.TryGetProperty("data", out var data) || data.ValueKind == JsonValueKind.Null)
                {
                    Erased++;
                }
                else if (AuditRow.PersonalDigest(Text(part, "salt"), Canonical(data)) != Text(part, "digest"))
                {
                    return "its personal data is not what its digest says";
                }
            }
        }

        var entry = new AuditEntry(Text(row, "id"), row.GetProperty("at").GetDateTimeOffset().ToUnixTimeMilliseconds(), Text(row, "action"), Text(row, "actor"), Text(row, "subject"))
        {
            Detail = row.TryGetProperty("detail", out var detail) && detail.ValueKind != JsonValueKind.Null ? Canonical(detail) : null,
            Personal = personal,
        };
        return AuditRow.HashOf(seq, prevHash, entry) == Text(row, "hash") ? null : "its hash is not that of what it says";
    }

    private static JsonElement Canonical(JsonElement value) => CanonicalJson.TryNormalize(value, out var canonical, out _) ? canonical : throw new FormatException("a value is not canonical JSON");

    private static string Text(JsonElement row, string name) => row.GetProperty(name).GetString()!;
}

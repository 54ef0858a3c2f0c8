using System.Text;
using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using YamlDotNet.Core;

namespace Omium.Runtime.Specs;

/// <summary>Why a text cannot be read.</summary>
/// <param name="Code">
/// Stable: <c>yaml_syntax</c>, <c>yaml_duplicate_key</c>, <c>yaml_alias</c>, <c>yaml_tag</c>, <c>yaml_key</c>, <c>yaml_number</c>, <c>yaml_several_documents</c>,
/// <c>text_empty</c>, <c>text_too_large</c>, <c>text_too_deep</c>, <c>text_not_utf8</c>, or a code of <see cref="JsonProblem"/>.
/// </param>
/// <param name="Message">One sentence for a person.</param>
/// <param name="Line">Line, from 1.</param>
/// <param name="Column">Column in characters, from 1.</param>
public sealed record SpecTextProblem(string Code, string Message, int Line, int Column);

/// <summary>
/// Text of a spec or a policy, YAML 1.2 (core schema) or JSON, as a canonical JSON value. Built on the parser's events, not on an object graph:
/// no type is ever created from a document. Guarantees: never throws for bad text; at most <see cref="SpecLimits.SourceBytesMax"/> bytes and
/// <see cref="SpecLimits.SourceDepthMax"/> levels; anchors, aliases, tags and several documents are refused, so a text is never larger than it looks;
/// a key that occurs twice is an error. Only <c>true</c> and <c>false</c> are booleans: <c>on</c>, <c>no</c>, <c>off</c> and <c>yes</c> are texts.
/// </summary>
public static class SpecText
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads bytes of UTF-8, with or without byte order mark.</summary>
    public static bool TryRead(ReadOnlySpan<byte> utf8, out JsonElement value, out SpecTextProblem? problem)
    {
        value = default;
        if (utf8.Length > SpecLimits.SourceBytesMax)
        {
            problem = TooLarge();
            return false;
        }

        try
        {
            return TryRead(StrictUtf8.GetString(utf8), out value, out problem);
        }
        catch (DecoderFallbackException)
        {
            problem = new SpecTextProblem("text_not_utf8", "The text is not UTF-8.", 1, 1);
            return false;
        }
    }

    /// <summary>Reads a text.</summary>
    public static bool TryRead(string text, out JsonElement value, out SpecTextProblem? problem)
    {
        value = default;
        text = text.TrimStart('\uFEFF');
        if (Encoding.UTF8.GetByteCount(text) > SpecLimits.SourceBytesMax)
        {
            problem = TooLarge();
            return false;
        }

        if (text.AsSpan().TrimStart() is ['{' or '[', ..] && TryReadJson(text, out value, out problem))
        {
            return problem is null;
        }

        return TryReadYaml(text, out value, out problem);
    }

    /// <summary>True when the text was judged as JSON, with or without a problem; false when it is no JSON and may be YAML in flow style.</summary>
    private static bool TryReadJson(string text, out JsonElement value, out SpecTextProblem? problem)
    {
        problem = null;
        var utf8 = Encoding.UTF8.GetBytes(text);
        var isRead = CanonicalJson.TryParse(utf8, out value, out var jsonProblem, new JsonLimits { DepthMax = SpecLimits.SourceDepthMax });
        if (isRead)
        {
            return true;
        }

        if (jsonProblem!.Code == "json_syntax")
        {
            return false;
        }

        var before = Encoding.UTF8.GetString(utf8.AsSpan(0, (int)Math.Clamp(jsonProblem.Offset, 0, utf8.Length)));
        problem = new SpecTextProblem(jsonProblem.Code, jsonProblem.Message, 1 + before.Count(character => character == '\n'), before.Length - before.LastIndexOf('\n'));
        return true;
    }

    private static bool TryReadYaml(string text, out JsonElement value, out SpecTextProblem? problem)
    {
        value = default;
        try
        {
            using var reader = new StringReader(text);
            var json = new YamlToJson(new Parser(reader), text.Length).Read();
            var isRead = CanonicalJson.TryParse(json, out value, out var jsonProblem, new JsonLimits { DepthMax = SpecLimits.SourceDepthMax, SizeMax = long.MaxValue });
            problem = isRead ? null : new SpecTextProblem(jsonProblem!.Code, jsonProblem.Message, 1, 1);
            return isRead;
        }
        catch (SpecTextException refusal)
        {
            problem = refusal.Problem;
        }
        catch (YamlException error)
        {
            problem = new SpecTextProblem("yaml_syntax", $"This is not YAML: {error.Message}", (int)error.Start.Line, (int)error.Start.Column);
        }

        return false;
    }

    private static SpecTextProblem TooLarge() =>
        new("text_too_large", $"The text is larger than {SpecLimits.SourceBytesMax} bytes.", 1, 1);
}

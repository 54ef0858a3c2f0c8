using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Omium.Kernel.Specs;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Omium.Runtime.Specs;

/// <summary>Stops reading with a problem; never leaves <see cref="SpecText"/>.</summary>
internal sealed class SpecTextException(SpecTextProblem problem) : Exception(problem.Message)
{
    public SpecTextProblem Problem { get; } = problem;
}

/// <summary>Writes the events of one YAML document as JSON.</summary>
/// <param name="events">The document.</param>
/// <param name="length">How long its text is: about as long as what is written.</param>
internal sealed class YamlToJson(IParser events, int length)
{
    /// <summary>Escapes what JSON asks for and no more: the writer's own habit makes six characters of each plus sign or quote, and borrows room for that.</summary>
    private static readonly JsonWriterOptions Options = new() { MaxDepth = SpecLimits.SourceDepthMax + 1, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ArrayBufferWriter<byte> _buffer = new(Math.Max(256, length + length / 4));

    public ReadOnlyMemory<byte> Read()
    {
        using var json = new Utf8JsonWriter(_buffer, Options);
        Take<StreamStart>();
        if (events.Current is StreamEnd)
        {
            throw Refuse("text_empty", "The text holds nothing.", events.Current);
        }

        Take<DocumentStart>();
        WriteNode(json, 0);
        Take<DocumentEnd>();
        if (events.Current is not StreamEnd)
        {
            throw Refuse("yaml_several_documents", "The text holds more than one document.", events.Current!);
        }

        json.Flush();
        return _buffer.WrittenMemory;
    }

    private void WriteNode(Utf8JsonWriter json, int depth)
    {
        var node = events.Current!;
        RefuseAliasesAndTags(node);
        if (depth > SpecLimits.SourceDepthMax)
        {
            throw Refuse("text_too_deep", $"The text is nested deeper than {SpecLimits.SourceDepthMax} levels.", node);
        }

        switch (node)
        {
            case Scalar scalar:
                YamlScalar.Write(json, scalar);
                Advance();
                break;
            case SequenceStart:
                Advance();
                WriteSequence(json, depth);
                break;
            case MappingStart:
                Advance();
                WriteMapping(json, depth);
                break;
            default:
                throw Refuse("yaml_syntax", "A value was expected here.", node);
        }
    }

    private void WriteSequence(Utf8JsonWriter json, int depth)
    {
        json.WriteStartArray();
        while (events.Current is not SequenceEnd)
        {
            WriteNode(json, depth + 1);
        }

        json.WriteEndArray();
        Advance();
    }

    private void WriteMapping(Utf8JsonWriter json, int depth)
    {
        var linesOfKeys = new Dictionary<string, long>(StringComparer.Ordinal);
        json.WriteStartObject();
        while (events.Current is not MappingEnd)
        {
            RefuseAliasesAndTags(events.Current!);
            if (events.Current is not Scalar key)
            {
                throw Refuse("yaml_key", "A key must be a plain word or a quoted text.", events.Current!);
            }

            if (!linesOfKeys.TryAdd(key.Value, key.Start.Line))
            {
                throw Refuse("yaml_duplicate_key", $"The key \"{key.Value}\" was written in line {linesOfKeys[key.Value]} already.", key);
            }

            json.WritePropertyName(key.Value);
            Advance();
            WriteNode(json, depth + 1);
        }

        json.WriteEndObject();
        Advance();
    }

    private static void RefuseAliasesAndTags(ParsingEvent node)
    {
        if (node is AnchorAlias or NodeEvent { Anchor.IsEmpty: false })
        {
            throw Refuse("yaml_alias", "Anchors and aliases are not accepted: a text must not be larger than it looks. Write the value where it is used.", node);
        }

        if (node is NodeEvent { Tag.IsEmpty: false })
        {
            throw Refuse("yaml_tag", "Tags are not accepted. Quote a value that must be a text.", node);
        }
    }

    /// <summary>
    /// To the next event. On some texts the parser does not report a mistake as its own exception but trips over it (an index, a state):
    /// for the author of the text that is the same, and nothing of the parser outlives this call.
    /// </summary>
    private void Advance()
    {
        try
        {
            events.MoveNext();
        }
        catch (Exception trip) when (trip is InvalidOperationException or ArgumentException or IndexOutOfRangeException or NullReferenceException or FormatException)
        {
            var last = events.Current?.End ?? Mark.Empty;
            throw new SpecTextException(new SpecTextProblem("yaml_syntax", "This is not YAML: something after this place cannot be read.", (int)last.Line, (int)last.Column));
        }
    }

    private void Take<T>()
        where T : ParsingEvent
    {
        if (events.Current is null)
        {
            Advance();
        }

        if (events.Current is not T)
        {
            throw Refuse("yaml_syntax", "The document ends in the wrong place.", events.Current!);
        }

        Advance();
    }

    internal static SpecTextException Refuse(string code, string message, ParsingEvent at) =>
        new(new SpecTextProblem(code, message, (int)at.Start.Line, (int)at.Start.Column));
}

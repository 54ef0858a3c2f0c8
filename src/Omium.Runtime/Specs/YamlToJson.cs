using System.Buffers;
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
internal sealed class YamlToJson(IParser events)
{
    private readonly ArrayBufferWriter<byte> _buffer = new();

    public ReadOnlyMemory<byte> Read()
    {
        using var json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { MaxDepth = SpecLimits.SourceDepthMax + 1 });
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
                events.MoveNext();
                break;
            case SequenceStart:
                events.MoveNext();
                WriteSequence(json, depth);
                break;
            case MappingStart:
                events.MoveNext();
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
        events.MoveNext();
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
            events.MoveNext();
            WriteNode(json, depth + 1);
        }

        json.WriteEndObject();
        events.MoveNext();
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

    private void Take<T>()
        where T : ParsingEvent
    {
        if (events.Current is null)
        {
            events.MoveNext();
        }

        if (events.Current is not T)
        {
            throw Refuse("yaml_syntax", "The document ends in the wrong place.", events.Current!);
        }

        events.MoveNext();
    }

    internal static SpecTextException Refuse(string code, string message, ParsingEvent at) =>
        new(new SpecTextProblem(code, message, (int)at.Start.Line, (int)at.Start.Column));
}

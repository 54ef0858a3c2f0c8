using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Omium.Kernel.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Executions;

/// <summary>Turns decisions into stored records and back: serialise, seal with the stream's key, chain by hash.</summary>
public static class RecordCodec
{
    private static readonly Dictionary<Type, string> EventNames = typeof(ExecutionEvent)
        .GetCustomAttributes(typeof(JsonDerivedTypeAttribute), false)
        .Cast<JsonDerivedTypeAttribute>()
        .ToDictionary(attribute => attribute.DerivedType, attribute => (string)attribute.TypeDiscriminator!);

    /// <summary>Hash before the first record.</summary>
    public static readonly byte[] Genesis = new byte[32];

    /// <summary>The stable name of an event.</summary>
    public static string NameOf(ExecutionEvent happened) => EventNames[happened.GetType()];

    /// <summary>Makes the record that follows <paramref name="prevHash"/>.</summary>
    public static LogRecord Encode(StreamId stream, long seq, byte[] prevHash, byte[] dataKey, string appendId, RecordBody body)
    {
        var types = string.Join(' ', body.Events.Select(NameOf));
        var closed = Seal.Close(dataKey, KernelJson.Serialize(body), Context(stream, seq));
        var record = new LogRecord(seq, appendId, ExecutionKernel.Version, body.Command.AtMs, body.Command.Name, types, prevHash, [], closed);
        return record with { Hash = HashOf(record) };
    }

    /// <summary>Opens a record's body.</summary>
    public static RecordBody Decode(StreamId stream, LogRecord record, byte[] dataKey) => KernelJson.Deserialize(Open(stream, record, dataKey));

    /// <summary>The plain bytes of a record's body.</summary>
    public static byte[] Open(StreamId stream, LogRecord record, byte[] dataKey) => Seal.Open(dataKey, record.Body, Context(stream, record.Seq));

    /// <summary>SHA-256 over the previous hash, the envelope and the sealed body, each with its length.</summary>
    public static byte[] HashOf(LogRecord record)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> numbers = stackalloc byte[20];
        BinaryPrimitives.WriteInt64BigEndian(numbers, record.Seq);
        BinaryPrimitives.WriteInt64BigEndian(numbers[8..], record.AtUnixMs);
        BinaryPrimitives.WriteInt32BigEndian(numbers[16..], record.Kernel);
        hash.AppendData(record.PrevHash);
        hash.AppendData(numbers);
        AppendText(hash, record.AppendId);
        AppendText(hash, record.Command);
        AppendText(hash, record.EventTypes);
        hash.AppendData(record.Body);
        return hash.GetHashAndReset();
    }

    private static void AppendText(IncrementalHash hash, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }

    private static byte[] Context(StreamId stream, long seq) => Encoding.UTF8.GetBytes($"{stream}/{seq}");
}

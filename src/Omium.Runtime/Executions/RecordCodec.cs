using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Omium.Kernel.Executions;
using Omium.Runtime.Payloads;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Executions;

/// <summary>Turns decisions into stored records and back: serialise, compress what is long, seal with the stream's key, chain by hash.</summary>
public static class RecordCodec
{
    private static readonly Dictionary<Type, string> EventNames = typeof(ExecutionEvent)
        .GetCustomAttributes(typeof(JsonDerivedTypeAttribute), false)
        .Cast<JsonDerivedTypeAttribute>()
        .ToDictionary(attribute => attribute.DerivedType, attribute => (string)attribute.TypeDiscriminator!);

    /// <summary>From here on handing records to several processors costs less than it saves.</summary>
    private const int ManyRecords = 100;

    /// <summary>Hash before the first record.</summary>
    public static readonly byte[] Genesis = new byte[32];

    /// <summary>The stable name of an event.</summary>
    public static string NameOf(ExecutionEvent happened) => EventNames[happened.GetType()];

    /// <summary>Makes the record of an execution that follows <paramref name="prevHash"/>.</summary>
    public static LogRecord Encode(StreamId stream, long seq, byte[] prevHash, AesGcm cipher, string appendId, RecordBody body) =>
        Encode(stream, seq, prevHash, cipher, appendId, EnvelopeOf(body), KernelJson.Serialize(body));

    /// <summary>Makes the record that follows <paramref name="prevHash"/>, whatever its kernel.</summary>
    internal static LogRecord Encode(StreamId stream, long seq, byte[] prevHash, AesGcm cipher, string appendId, RecordEnvelope envelope, byte[] body)
    {
        var closed = Seal.Close(cipher, PackedBytes.Pack(body), Context(stream, seq));
        var record = new LogRecord(seq, appendId, envelope.Kernel, envelope.AtMs, envelope.Command, envelope.EventTypes, prevHash, [], closed);
        return record with { Hash = HashOf(record) };
    }

    /// <summary>The readable part of an execution's record.</summary>
    internal static RecordEnvelope EnvelopeOf(RecordBody body) =>
        new(ExecutionKernel.Version, body.Command.AtMs, body.Command.Name, string.Join(' ', body.Events.Select(NameOf)));

    /// <summary>Opens a record's body.</summary>
    public static RecordBody Decode(StreamId stream, LogRecord record, byte[] dataKey) => KernelJson.Deserialize(Open(stream, record, dataKey));

    /// <summary>The plain bytes of a record's body.</summary>
    public static byte[] Open(StreamId stream, LogRecord record, byte[] dataKey) =>
        PackedBytes.Unpack(Seal.Open(dataKey, record.Body, Context(stream, record.Seq)));

    /// <summary>The same with a cipher that is kept: a long history is opened in half the time.</summary>
    internal static byte[] Open(StreamId stream, LogRecord record, AesGcm cipher) =>
        PackedBytes.Unpack(Seal.Open(cipher, record.Body, Context(stream, record.Seq)));

    /// <summary>
    /// The bodies of stored records, in their order. Of many, each processor opens and reads some: no body needs another one, and the first look at a
    /// history of thousands is somebody's wait.
    /// </summary>
    internal static TBody[] DecodeAll<TBody>(IReadOnlyList<(Segment Segment, LogRecord Stored)> records, byte[] dataKey, Func<byte[], TBody> decode)
    {
        var bodies = new TBody[records.Count];
        AesGcm DecodeOne(int index, AesGcm cipher)
        {
            bodies[index] = decode(Open(records[index].Segment.Stream, records[index].Stored, cipher));
            return cipher;
        }

        if (records.Count >= ManyRecords)
        {
            try
            {
                Parallel.For(0, records.Count, () => Seal.NewCipher(dataKey), (index, _, cipher) => DecodeOne(index, cipher), cipher => cipher.Dispose());
                return bodies;
            }
            catch (AggregateException)
            {
                // Below it is met again, alone and at the first record that has it.
            }
        }

        using var one = Seal.NewCipher(dataKey);
        for (var index = 0; index < records.Count; index++)
        {
            DecodeOne(index, one);
        }

        return bodies;
    }

    /// <summary>What is wrong with a record's place in the chain behind record <paramref name="seq"/>; null when nothing is.</summary>
    internal static string? ChainProblem(LogRecord record, long seq, byte[] hash) => record switch
    {
        _ when record.Seq != seq + 1 => $"it does not follow record {seq}",
        _ when !record.PrevHash.AsSpan().SequenceEqual(hash) => "it does not name the hash of the record before",
        _ when !record.Hash.AsSpan().SequenceEqual(HashOf(record)) => "its hash is not that of its bytes",
        _ => null,
    };

    /// <summary>SHA-256 over the previous hash, the envelope and the sealed body, each with its length.</summary>
    public static byte[] HashOf(LogRecord record)
    {
        const int NumberBytes = 20, LengthBytes = 4;
        var textBytes = Encoding.UTF8.GetMaxByteCount(record.AppendId.Length + record.Command.Length + record.EventTypes.Length);
        var buffer = ArrayPool<byte>.Shared.Rent(record.PrevHash.Length + NumberBytes + (3 * LengthBytes) + textBytes + record.Body.Length);
        record.PrevHash.CopyTo(buffer, 0);
        var at = record.PrevHash.Length;
        BinaryPrimitives.WriteInt64BigEndian(buffer.AsSpan(at), record.Seq);
        BinaryPrimitives.WriteInt64BigEndian(buffer.AsSpan(at + 8), record.AtUnixMs);
        BinaryPrimitives.WriteInt32BigEndian(buffer.AsSpan(at + 16), record.Kernel);
        at += NumberBytes;
        at += WriteText(buffer.AsSpan(at), record.AppendId);
        at += WriteText(buffer.AsSpan(at), record.Command);
        at += WriteText(buffer.AsSpan(at), record.EventTypes);
        record.Body.CopyTo(buffer, at);
        var hash = SHA256.HashData(buffer.AsSpan(0, at + record.Body.Length));
        ArrayPool<byte>.Shared.Return(buffer);
        return hash;
    }

    private static int WriteText(Span<byte> destination, string text)
    {
        var length = Encoding.UTF8.GetBytes(text, destination[4..]);
        BinaryPrimitives.WriteInt32BigEndian(destination, length);
        return 4 + length;
    }

    private static byte[] Context(StreamId stream, long seq) => Encoding.UTF8.GetBytes($"{stream}/{seq}");
}

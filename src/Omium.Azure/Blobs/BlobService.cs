using System.Globalization;
using System.Text;
using Azure.Core;
using Omium.Azure.Rest;

namespace Omium.Azure.Blobs;

/// <summary>
/// The operations of the Blob service that Omium needs, as documented for its REST protocol
/// (https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api). This file is all that would change if the official client
/// (Azure.Storage.Blobs, BlobContainerClient over the same pipeline options) took its place.
/// </summary>
internal sealed class BlobService(StorageAccount account, AzureStoreOptions options)
{
    /// <summary>What is larger goes in blocks of this size, so that a lost connection costs one block and not the whole.</summary>
    public const int BlockBytes = 8 * 1024 * 1024;

    private const string Writer = "x-ms-meta-writer";
    private readonly StoragePipeline _pipeline = StoragePipeline.ForBlobs(account, options);

    /// <summary>The container's full name.</summary>
    public string Name(string container) => $"{options.Prefix}-{container}";

    /// <summary>Makes the container if it is not there.</summary>
    public async Task CreateAsync(string container, CancellationToken cancellation)
    {
        using var message = _pipeline.Message(RequestMethod.Put, new Uri(account.Blobs, $"{Name(container)}?restype=container"));
        message.Request.Content = RequestContent.Create(Array.Empty<byte>());
        await _pipeline.SendAsync(message, $"making the container {Name(container)}", cancellation, 201, 409);
    }

    /// <summary>Stores the bytes unless there is a blob of that name. True when this call made it, whichever of its tries did.</summary>
    public async Task<bool> PutIfAbsentAsync(string container, string name, byte[] bytes, CancellationToken cancellation)
    {
        var writer = Guid.NewGuid().ToString("N");
        var answer = bytes.Length > BlockBytes
            ? await PutBlocksAsync(container, name, bytes, writer, cancellation)
            : await PutWholeAsync(container, name, bytes, writer, cancellation);
        // A blob that was there may be the one that an earlier try of this call made.
        return answer.Status == 201 || (answer.WasRepeated && await WriterAsync(container, name, cancellation) == writer);
    }

    /// <summary>The bytes; null when there is no such blob.</summary>
    public async Task<byte[]?> GetAsync(string container, string name, CancellationToken cancellation)
    {
        using var message = _pipeline.Message(RequestMethod.Get, Address(container, name));
        var answer = await _pipeline.SendAsync(message, "reading a blob", cancellation, 200, 404);
        return IsAbsent(answer) ? null : answer.Response.Content.ToArray();
    }

    /// <summary>Removes a blob; nothing happens when it is not there.</summary>
    public async Task DeleteAsync(string container, string name, CancellationToken cancellation)
    {
        using var message = _pipeline.Message(RequestMethod.Delete, Address(container, name));
        await _pipeline.SendAsync(message, "removing a blob", cancellation, 202, 404);
    }

    private async Task<StorageAnswer> PutWholeAsync(string container, string name, byte[] bytes, string writer, CancellationToken cancellation)
    {
        using var message = _pipeline.Message(RequestMethod.Put, Address(container, name));
        message.Request.Headers.SetValue("x-ms-blob-type", "BlockBlob");
        OnlyIfAbsent(message, writer);
        message.Request.Content = RequestContent.Create(bytes);
        return await _pipeline.SendAsync(message, "writing a blob", cancellation, 201, 409, 412);
    }

    private async Task<StorageAnswer> PutBlocksAsync(string container, string name, byte[] bytes, string writer, CancellationToken cancellation)
    {
        if (await WriterAsync(container, name, cancellation) is not null)
        {
            return new StorageAnswer(409, null!, WasRepeated: false); // There is one already: nothing to send.
        }

        var list = new StringBuilder("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
        for (var at = 0; at < bytes.Length; at += BlockBytes)
        {
            // The writer's name is part of the block's: two writers of one blob must not mix their blocks.
            var id = Convert.ToBase64String(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{writer}{at / BlockBytes:D6}")));
            using var block = _pipeline.Message(RequestMethod.Put, new Uri($"{Address(container, name).AbsoluteUri}?comp=block&blockid={Uri.EscapeDataString(id)}"));
            block.Request.Content = RequestContent.Create(bytes.AsMemory(at, Math.Min(BlockBytes, bytes.Length - at)));
            await _pipeline.SendAsync(block, "writing a block", cancellation, 201);
            list.Append("<Uncommitted>").Append(id).Append("</Uncommitted>");
        }

        using var message = _pipeline.Message(RequestMethod.Put, new Uri($"{Address(container, name).AbsoluteUri}?comp=blocklist"));
        OnlyIfAbsent(message, writer);
        message.Request.Headers.SetValue("Content-Type", "application/xml");
        message.Request.Content = RequestContent.Create(Encoding.UTF8.GetBytes(list.Append("</BlockList>").ToString()));
        var answer = await _pipeline.SendAsync(message, "writing a blob", cancellation, 201, 400, 409, 412);
        // Where another writer was first, the service has dropped the blocks of this one.
        return answer.Status != 400 || StoragePipeline.CodeOf(answer.Response) == "InvalidBlockList"
            ? answer
            : throw StoragePipeline.Failure(400, StoragePipeline.CodeOf(answer.Response), "writing a blob");
    }

    /// <summary>A container that is missing is no answer about a blob.</summary>
    private static bool IsAbsent(StorageAnswer answer) => answer.Status == 404
        && (StoragePipeline.CodeOf(answer.Response) is not ("ContainerNotFound" or "ContainerBeingDeleted")
            ? true
            : throw StoragePipeline.Failure(404, StoragePipeline.CodeOf(answer.Response), "reading a blob"));

    /// <summary>Who made the blob; null when there is none.</summary>
    private async Task<string?> WriterAsync(string container, string name, CancellationToken cancellation)
    {
        using var message = _pipeline.Message(RequestMethod.Head, Address(container, name));
        var answer = await _pipeline.SendAsync(message, "looking for a blob", cancellation, 200, 404);
        return IsAbsent(answer) ? null : answer.Header(Writer) ?? "";
    }

    private static void OnlyIfAbsent(HttpMessage message, string writer)
    {
        message.Request.Headers.SetValue("If-None-Match", "*");
        message.Request.Headers.SetValue(Writer, writer);
    }

    private Uri Address(string container, string name) =>
        new(account.Blobs, $"{Name(container)}/{string.Join('/', name.Split('/').Select(Uri.EscapeDataString))}");
}

"""Searches traces by a stream of gRPC: tempo_stream.py ADDRESS TENANT QUERY START END

Prints how many messages came and whether the last one has what is looked for: the text behind END.
"""

import sys

import grpc


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def main():
    address, tenant, query, start, end, wanted = sys.argv[1:]
    text = query.encode()
    request = b"\x28" + varint(int(start)) + b"\x30" + varint(int(end)) + b"\x42" + varint(len(text)) + text
    with grpc.insecure_channel(address) as channel:
        search = channel.unary_stream("/tempopb.StreamingQuerier/Search")
        try:
            messages = list(search(request, metadata=[("x-scope-orgid", tenant)], timeout=60))
        except grpc.RpcError as error:
            print(error.code().name)
            return
    print(len(messages), wanted.encode() in messages[-1])


main()
